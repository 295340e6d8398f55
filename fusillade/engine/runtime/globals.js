// The global object as a script finds it: ECMAScript and SCRIPT_API, nothing else.
"use strict";
(function (fu) {
  const { CELL, control } = fu;

  function* restOfCheck(value, sets, names, from, pending, ok) {
    const context = fu.current.owner.context;
    for (let i = from; i < names.length; i++) {
      let result = i === from ? yield pending : sets[names[i]](value);
      if (i !== from && fu.isPending(result)) result = yield result;
      ok = judge(value, context, names[i], result) && ok;
    }
    return ok;
  }

  function judge(value, context, name, result) {
    const failed = typeof result === "string" || !result;
    fu.countCheck(context, name, !failed);
    if (failed) fu.checkFailed(fu.current.owner, value, name);
    if (typeof result === "string") fu.console.warn(`check "${name}" failed: ${result}`);
    return !failed;
  }

  function check(value, sets) {
    if (fu.current === null) throw new Error("check() cannot be called in the init code");
    if (typeof sets !== "object" || sets === null) {
      throw new TypeError("check(value, {name: condition}): the second argument must be an object");
    }
    const context = fu.current.owner.context;
    let ok = true;
    const names = Object.keys(sets);
    for (let i = 0; i < names.length; i++) {
      const condition = sets[names[i]];
      const result = typeof condition === "function" ? condition(value) : condition;
      if (fu.isPending(result)) return restOfCheck(value, sets, names, i, result, ok);
      ok = judge(value, context, names[i], result) && ok;
    }
    return ok;
  }

  function* inGroup(worker, before, pending) {
    try {
      return yield pending;
    } finally {
      worker.context = before;
    }
  }

  function group(name, fn) {
    if (fu.current === null) throw new Error("group() cannot be called in the init code");
    const worker = fu.current.owner;
    const before = worker.context;
    worker.context = before.inGroup(String(name));
    let result;
    try {
      result = fn();
    } catch (error) {
      worker.context = before;
      throw error;
    }
    if (fu.isPending(result)) return inGroup(worker, before, result);
    worker.context = before;
    return result;
  }

  function fail(message) {
    throw new Error(message === undefined ? "fail()" : String(message));
  }

  function owner(property, otherwise) {
    return {
      configurable: false,
      enumerable: false,
      get: () => (fu.current === null ? otherwise : property(fu.current.owner)),
      set: undefined,
    };
  }

  const GIVEN = {
    http: fu.http,
    check,
    assertion: check,
    sleep: fu.sleep,
    sleepRandom: (low, high) => fu.sleep(Number(low) + Math.random() * (Number(high) - Number(low))),
    group,
    segment: group,
    fail,
    print: fu.print,
    console: fu.console,
    FormData: fu.FormData,
    SharedArray: fu.SharedArray,
    SharedCSV: fu.SharedCSV,
    crypto: fu.crypto,
    describe: group,
    encoding: fu.encoding,
    expect: fu.expect,
    metrics: fu.metrics,
    open: fu.open,
    sse: fu.sse,
    stats: fu.stats,
    test: fu.test,
    utils: fu.utils,
    ws: fu.ws,
    ...fu.unavailable,
  };
  const COMPUTED = {
    __VU: owner((worker) => worker.id, 0),
    __WORKER_ID: owner((worker) => worker.id, 0),
    __ITER: owner((worker) => worker.iteration, 0),
    __ITERATION: owner((worker) => worker.iteration, 0),
    __SCENARIO: owner((worker) => worker.scenario.name, ""),
    __WORKER_STATE: owner((worker) => worker.state, undefined),
  };
  const LANGUAGE = new Set(
    (
      "undefined Function Object eval Array globalThis Boolean JSON Date Math isNaN isFinite " +
      "parseInt parseFloat NaN Infinity Number escape unescape decodeURI encodeURI " +
      "decodeURIComponent encodeURIComponent String RegExp Error AggregateError EvalError " +
      "RangeError ReferenceError SyntaxError TypeError URIError ArrayBuffer Int8Array Uint8Array " +
      "Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array Float16Array " +
      "Uint8ClampedArray BigInt64Array BigUint64Array BigInt Proxy WeakMap Map Set DataView " +
      "Symbol Intl Reflect WeakSet Promise WeakRef FinalizationRegistry Iterator InternalError"
    ).split(" "),
  );

  // pythonmonkey leaves `debuggerGlobal`, the global object of its debugger's realm, which can be
  // neither deleted nor overwritten. Emptied and sealed it is of no use to anybody.
  function empty(object) {
    for (const key of Reflect.ownKeys(object)) Reflect.deleteProperty(object, key);
    Object.setPrototypeOf(object, null);
    Object.preventExtensions(object);
  }

  let given; // variables that came with the test

  // `__ENV` of a scenario: its own variables on top of the test's.
  function environment(own) {
    return own === undefined ? given : Object.freeze({ __proto__: null, ...given, ...own });
  }

  // Takes away everything that is neither the language nor ours, then puts ours in.
  function lockDown(env) {
    fu.harden();
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (LANGUAGE.has(name)) continue;
      if (Reflect.deleteProperty(globalThis, name)) continue;
      empty(globalThis[name]);
    }
    for (const [name, value] of Object.entries(GIVEN)) {
      Object.defineProperty(globalThis, name, { value, writable: false, configurable: false });
    }
    for (const [name, property] of Object.entries(COMPUTED)) {
      Object.defineProperty(globalThis, name, property);
    }
    given = Object.freeze({ __proto__: null, ...env });
    Object.defineProperty(globalThis, "__ENV", owner((worker) => worker.scenario.env, given));
  }

  const http = { ...fu.http, default: fu.http };
  const BUILTINS = {
    k6: { check, sleep: fu.sleep, group, fail },
    "k6/crypto": { ...fu.crypto, default: fu.crypto },
    "k6/data": { SharedArray: fu.SharedArray },
    "k6/html": { parseHTML: fu.documentOf },
    "k6/encoding": { ...fu.encoding, default: fu.encoding },
    "k6/http": http,
    "k6/metrics": fu.k6Metrics,
  };

  // What `import ... from "k6/http"` gives.
  fu.builtin = (name) => {
    const found = BUILTINS[name];
    if (found === undefined) throw new Error(`The module "${name}" is not available.`);
    return found;
  };
  fu.environment = environment;
  fu.lockDown = lockDown;
})
