// What rewritten scripts call: `$fu` in their code. See rewrite.py for the forms.
"use strict";
(function (fu) {
  const { isPending, OP, Coroutine } = fu;
  const GeneratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf((function* () {})()));
  const { next, throw: throwInto } = GeneratorPrototype;
  const call = Function.prototype.call.bind(Function.prototype.call);
  const isArray = Array.isArray;
  const { add } = WeakSet.prototype;
  const { get, set } = WeakMap.prototype;
  const { then } = Promise.prototype;
  const NativePromise = Promise;

  // ---- where nothing can be suspended --------------------------------------------------------

  // Runs what a call returned to its end at once; it may not wait for anything.
  function settled(value) {
    if (!isPending(value)) return value;
    if (value === OP) throw new Error("cannot wait here");
    const stack = [value];
    let sent;
    let failed = false;
    for (;;) {
      const top = stack[stack.length - 1];
      let step;
      try {
        step = failed ? call(throwInto, top, sent) : call(next, top, sent);
      } catch (error) {
        stack.pop();
        if (stack.length === 0) throw error;
        sent = error;
        failed = true;
        continue;
      }
      failed = false;
      if (step.done) {
        stack.pop();
        if (stack.length === 0) return step.value;
        sent = step.value;
      } else if (step.value === OP) {
        fu.cancelOperation();
        sent = new Error(
          "a call waits in a place where JavaScript cannot wait (a callback of the language, a " +
            "getter, a constructor)",
        );
        failed = true;
      } else if (isPending(step.value)) {
        stack.push(step.value);
        sent = undefined;
      } else sent = step.value;
    }
  }

  // A function that the language calls itself, where it cannot be suspended.
  function plain(fn) {
    if (typeof fn !== "function") return fn;
    return function (...args) {
      return settled(Reflect.apply(fn, this, args));
    };
  }

  // ---- async functions -----------------------------------------------------------------------

  // Promises that we made -> what became of them, so that `await` needs no promise job.
  const spawned = new WeakMap();

  // Runs the body of an async function beside its caller, up to its first wait at once.
  function spawn(body) {
    if (fu.current === null) return spawnInInit(body);
    const owner = fu.current.owner;
    const fate = { done: false, failed: false, value: undefined, waiters: [], settle: null };
    const promise = new NativePromise((resolve, reject) => {
      fate.settle = () => (fate.failed ? reject(fate.value) : resolve(fate.value));
    });
    call(set, spawned, promise, fate);
    const coroutine = new Coroutine(owner, (ended, failed, value) => {
      fu.releaseCoroutine(ended);
      fate.done = true;
      fate.failed = failed;
      fate.value = value;
      // Somebody may look at the promise itself. That nobody does is no error of the process.
      if (failed) call(then, promise, undefined, () => {});
      fate.settle();
      for (const waiter of fate.waiters) fu.resume(waiter, value, failed);
    });
    fu.adoptCoroutine(coroutine);
    coroutine.top = body;
    fu.resume(coroutine, undefined, false);
    return promise;
  }

  function spawnInInit(body) {
    return new NativePromise((resolve) => resolve(settled(body)));
  }

  // `await value`: pending, or the value itself.
  function wait(value) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return value;
    const fate = call(get, spawned, value);
    if (fate !== undefined) {
      if (fate.done) {
        if (fate.failed) throw fate.value;
        return fate.value;
      }
      fate.waiters.push(fu.current);
      return OP;
    }
    if (typeof value.then !== "function") return value;
    const coroutine = fu.current;
    const resume = (result, failed) => {
      if (coroutine.ended) return;
      fu.resume(coroutine, result, failed);
      fu.wakeEngine();
    };
    call(
      then,
      NativePromise.resolve(value),
      (result) => resume(result, false),
      (error) => resume(error, true),
    );
    return OP;
  }

  // ---- generators of the author's own --------------------------------------------------------

  function iterator(generator) {
    call(add, fu.authored, generator);
    return generator;
  }

  // ---- array methods whose callback waits ----------------------------------------------------

  // Each is a generator version of the method of that name; anything but an array (or for
  // forEach a Map or Set) gets its own method called, which may be the author's.
  const LOOPS = {
    *forEach(list, fn, self) {
      for (let i = 0, n = list.length; i < n; i++) {
        if (i in list) yield call(fn, self, list[i], i, list);
      }
    },
    *map(list, fn, self) {
      const result = new Array(list.length);
      for (let i = 0, n = list.length; i < n; i++) {
        if (i in list) result[i] = yield call(fn, self, list[i], i, list);
      }
      return result;
    },
    *filter(list, fn, self) {
      const result = [];
      for (let i = 0, n = list.length; i < n; i++) {
        if (!(i in list)) continue;
        const item = list[i];
        if (yield call(fn, self, item, i, list)) result.push(item);
      }
      return result;
    },
    *flatMap(list, fn, self) {
      return (yield LOOPS.map(list, fn, self)).flat();
    },
    *some(list, fn, self) {
      for (let i = 0, n = list.length; i < n; i++) {
        if (i in list && (yield call(fn, self, list[i], i, list))) return true;
      }
      return false;
    },
    *every(list, fn, self) {
      for (let i = 0, n = list.length; i < n; i++) {
        if (i in list && !(yield call(fn, self, list[i], i, list))) return false;
      }
      return true;
    },
    *find(list, fn, self) {
      for (let i = 0, n = list.length; i < n; i++) {
        const item = list[i];
        if (yield call(fn, self, item, i, list)) return item;
      }
      return undefined;
    },
    *findIndex(list, fn, self) {
      for (let i = 0, n = list.length; i < n; i++) {
        if (yield call(fn, self, list[i], i, list)) return i;
      }
      return -1;
    },
    *findLast(list, fn, self) {
      for (let i = list.length - 1; i >= 0; i--) {
        const item = list[i];
        if (yield call(fn, self, item, i, list)) return item;
      }
      return undefined;
    },
    *findLastIndex(list, fn, self) {
      for (let i = list.length - 1; i >= 0; i--) {
        if (yield call(fn, self, list[i], i, list)) return i;
      }
      return -1;
    },
  };

  function* reduce(list, fn, begin, from, step) {
    let result = begin;
    for (let i = from; i >= 0 && i < list.length; i += step) {
      if (i in list) result = yield fn(result, list[i], i, list);
    }
    return result;
  }

  function reduction(name, step) {
    return (list, ...rest) => {
      if (!isArray(list)) return list[name](...rest);
      let from = step > 0 ? 0 : list.length - 1;
      if (rest.length > 1) return reduce(list, rest[0], rest[1], from, step);
      while (from >= 0 && from < list.length && !(from in list)) from += step;
      if (from < 0 || from >= list.length) {
        throw new TypeError("reduce of empty array with no initial value");
      }
      return reduce(list, rest[0], list[from], from + step, step);
    };
  }

  function* visit(collection, fn, self) {
    if (collection instanceof Map) {
      for (const [key, value] of collection) yield call(fn, self, value, key, collection);
    } else for (const value of collection) yield call(fn, self, value, value, collection);
  }

  function* from(source, fn, self) {
    const list = Array.from(source);
    return fn === undefined ? list : yield LOOPS.map(list, fn, self);
  }

  const each = {
    __proto__: null,
    reduce: reduction("reduce", 1),
    reduceRight: reduction("reduceRight", -1),
    from,
  };
  for (const name of Object.keys(LOOPS)) {
    const loop = LOOPS[name];
    const own = Array.prototype[name];
    each[name] = (list, ...rest) => {
      if (isArray(list) && list[name] === own && typeof rest[0] === "function") {
        return loop(list, rest[0], rest[1]);
      }
      const isCollection = list instanceof Map || list instanceof Set;
      if (name === "forEach" && isCollection) return visit(list, rest[0], rest[1]);
      if (list instanceof Iterator) rest[0] = plain(rest[0]);
      return list[name](...rest);
    };
  }

  // ---- modules -------------------------------------------------------------------------------

  function defineExports(target, getters) {
    Object.defineProperties(target, Object.getOwnPropertyDescriptors(getters));
  }

  function exportAll(target, source) {
    for (const name of Object.keys(source)) {
      if (name === "default" || name in target) continue;
      Object.defineProperty(target, name, { enumerable: true, get: () => source[name] });
    }
  }

  fu.awaiting = wait;
  // All that a script's code can name; nothing of it leads to the rest of the runtime.
  fu.forScripts = Object.freeze({
    __proto__: null,
    settled,
    plain,
    spawn,
    wait,
    iterator,
    each: Object.freeze(each),
    exports: defineExports,
    exportAll,
  });
})
