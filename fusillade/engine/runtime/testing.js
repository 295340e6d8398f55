// describe, test, expect: small unit tests inside a script; each test counts as a check.
"use strict";
(function (fu) {
  const { JSON } = fu;

  function same(a, b) {
    if (Object.is(a, b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    return keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
  }

  function show(value) {
    return typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  }

  function expectation(value) {
    const need = (ok, words) => {
      if (!ok) throw new Error(`expected ${show(value)} ${words}`);
    };
    return {
      toBe: (other) => need(Object.is(value, other), `to be ${show(other)}`),
      toEqual: (other) => need(same(value, other), `to equal ${show(other)}`),
      toBeTruthy: () => need(Boolean(value), "to be truthy"),
    };
  }

  function judged(name, ok, error) {
    fu.countCheck(fu.current.owner.context, name, ok);
    if (!ok) fu.console.error(`test "${name}" failed: ${error?.message ?? error}`);
    return ok;
  }

  function* judge(name, pending) {
    try {
      yield pending;
    } catch (error) {
      return judged(name, false, error);
    }
    return judged(name, true);
  }

  function test(name, fn) {
    if (fu.current === null) throw new Error("test() cannot be called in the init code");
    let result;
    try {
      result = fn();
    } catch (error) {
      return judged(String(name), false, error);
    }
    if (fu.isPending(result)) return judge(String(name), result);
    return judged(String(name), true);
  }

  fu.test = test;
  fu.expect = expectation;
})
