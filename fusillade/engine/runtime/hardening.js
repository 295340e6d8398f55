// Takes out of a script's reach what would lead it from the language into the engine.
//
// A script may change the objects of the language as it likes, and its own results with them. Not
// those through which it could get hold of the arrays of the exchange, which Python reads through
// plain pointers: a getter `length` on the prototype of typed arrays, a constructor with
// Symbol.species or Symbol.hasInstance of the script's own, would be handed such an array, and
// `transfer()` would free its memory.
"use strict";
(function (fu) {
  const { defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { ownKeys } = Reflect;
  const TypedArray = getPrototypeOf(Uint8Array);
  const ARRAYS = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ];

  // What is there stays as it is; something may be added, where nothing can be hidden by it.
  function lock(object) {
    for (const key of ownKeys(object)) {
      const property = getOwnPropertyDescriptor(object, key);
      if (!property.configurable) continue;
      property.configurable = false;
      if ("value" in property) property.writable = false;
      defineProperty(object, key, property);
    }
  }

  // `instanceof` asks nobody but the prototype chain.
  function lockInstanceOf(constructor) {
    defineProperty(constructor, Symbol.hasInstance, {
      value: Function.prototype[Symbol.hasInstance],
      enumerable: false,
      writable: false,
      configurable: false,
    });
  }

  function harden() {
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      const value = globalThis[name];
      if (typeof value === "function" && typeof value.prototype === "object") lockInstanceOf(value);
    }
    lockInstanceOf(TypedArray);
    for (const constructor of ARRAYS) {
      freeze(constructor);
      freeze(constructor.prototype);
    }
    for (const constructor of [TypedArray, ArrayBuffer, DataView]) {
      lock(constructor);
      lock(constructor.prototype);
    }
  }

  // The classes of the runtime inherit nothing that a script could put a setter on.
  function apart(constructor) {
    Object.setPrototypeOf(constructor.prototype, null);
    freeze(constructor.prototype);
  }

  fu.harden = harden;
  fu.apart = apart;
})
