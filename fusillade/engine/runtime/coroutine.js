// A worker (virtual user) runs as one coroutine: a stack of generators that the engine resumes.
//
// A blocking function returns a *pending* value: either OP, when it has handed an operation (a
// request, a sleep) to the engine for the running coroutine, or a blocking generator. The
// rewritten script yields whatever is pending, and goes on with its result or its error. Nested
// generators are kept on a stack of our own instead of `yield*`, so that resuming a worker costs
// the same at any depth of calls, and endless recursion is an error instead of a crash.
"use strict";
(function (fu) {
  // Captured before any script runs, so that a polluted prototype cannot reach the engine.
  const GeneratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf((function* () {})()));
  const { next, throw: throwInto } = GeneratorPrototype;
  const call = Function.prototype.call.bind(Function.prototype.call);
  const getPrototypeOf = Object.getPrototypeOf;
  const { Promise } = globalThis;

  const OP = Object.freeze({ __proto__: null, pending: true });
  const MAX_DEPTH = 10000;

  // Rewritten functions and the runtime's own blocking functions make generators whose prototype
  // chain is function.prototype -> %GeneratorPrototype%. So do generator functions of the
  // author's own: what those make is remembered here.
  const authored = new WeakSet();
  const { has } = WeakSet.prototype;

  function isPending(value) {
    if (typeof value !== "object" || value === null) return false;
    if (value === OP) return true;
    // A Proxy may be given here: getPrototypeOf can run its trap, which can only throw or lie
    // about an object that the generator methods below would refuse anyway.
    const proto = getPrototypeOf(value);
    if (proto === null || getPrototypeOf(proto) !== GeneratorPrototype) return false;
    return !call(has, authored, value);
  }

  class Coroutine {
    // `owner` is the worker; `onEnd(coroutine, failed, valueOrError)` is called exactly once.
    constructor(owner, onEnd) {
      this.owner = owner;
      this.onEnd = onEnd;
      this.slot = -1; // index into the exchange, set by the engine
      this.top = null;
      this.stack = [];
      this.ended = false;
      this.parts = null; // of the batch that it waits for
      this.hooking = false; // whether a hook of http.addHook runs
    }
  }

  fu.apart(Coroutine);

  // Runs `coroutine` until it waits for an operation or ends. `fu.current` is the coroutine that
  // runs: operations register themselves for it.
  function resume(coroutine, value, failed) {
    const before = fu.current;
    fu.current = coroutine;
    try {
      for (;;) {
        const top = coroutine.top;
        let step;
        try {
          step = failed ? call(throwInto, top, value) : call(next, top, value);
        } catch (error) {
          if (coroutine.stack.length === 0) return end(coroutine, true, error);
          coroutine.top = coroutine.stack.pop();
          value = error;
          failed = true;
          continue;
        }
        if (step.done) {
          if (coroutine.stack.length === 0) return end(coroutine, false, step.value);
          coroutine.top = coroutine.stack.pop();
          value = step.value;
          failed = false;
          continue;
        }
        if (step.value === OP) return;
        if (!isPending(step.value)) {
          // Some functions of the runtime block only at times (`group` with a plain callback).
          value = step.value;
          failed = false;
          continue;
        }
        if (coroutine.stack.length >= MAX_DEPTH) {
          value = new RangeError("too much recursion");
          failed = true;
          continue;
        }
        coroutine.stack.push(top);
        coroutine.top = step.value;
        value = undefined;
        failed = false;
      }
    } finally {
      fu.current = before;
    }
  }

  function end(coroutine, failed, value) {
    if (!failed && typeof value === "object" && value instanceof Promise) {
      // What an async function returns is its promise; its end is ours.
      coroutine.top = awaiting(value);
      return resume(coroutine, undefined, false);
    }
    coroutine.ended = true;
    coroutine.top = null;
    coroutine.onEnd(coroutine, failed, value);
  }

  // Starts `pending` (what a blocking function returned) or ends at once with a plain value.
  function start(coroutine, fn, args) {
    const before = fu.current;
    fu.current = coroutine;
    let result;
    try {
      result = Reflect.apply(fn, undefined, args);
    } catch (error) {
      fu.current = before;
      return end(coroutine, true, error);
    }
    fu.current = before;
    if (result === OP) {
      // The function itself is an operation (`export default http.get`, say).
      coroutine.top = over(OP);
      call(next, coroutine.top, undefined);
      return;
    }
    if (!isPending(result)) return end(coroutine, false, result);
    coroutine.top = result;
    resume(coroutine, undefined, false);
  }

  function* over(pending) {
    return yield pending;
  }

  function* awaiting(promise) {
    return yield fu.awaiting(promise);
  }

  fu.OP = OP;
  fu.Coroutine = Coroutine;
  fu.isPending = isPending;
  fu.authored = authored;
  fu.resume = resume;
  fu.start = start;
  fu.current = null;
})
