// utils: random and unique values for test data.
"use strict";
(function (fu) {
  const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const FIRST = ["Ada", "Alan", "Barbara", "Claude", "Edsger", "Grace", "John", "Katherine"];
  const LAST = ["Hopper", "Johnson", "Knuth", "Liskov", "Lovelace", "Shannon", "Turing", "Wirth"];
  const STREETS = ["Bridge Street", "Garden Lane", "Harbour Road", "Mill Road", "Station Street"];
  const CITIES = ["Ghent", "Helsinki", "Kyoto", "Lisbon", "Portland", "Toledo"];

  function randomInt(low, high) {
    const from = Math.ceil(Number(low));
    return from + Math.floor(Math.random() * (Math.floor(Number(high)) - from + 1));
  }

  const randomItem = (list) => list[randomInt(0, list.length - 1)];

  function randomString(length, alphabet) {
    const letters = alphabet ?? LETTERS;
    let text = "";
    for (let i = 0; i < length; i++) text += letters[randomInt(0, letters.length - 1)];
    return text;
  }

  const digits = (count) => randomString(count, "0123456789");

  // RFC 9562, version 4.
  function uuid() {
    const hex = "0123456789abcdef";
    const part = (count) => randomString(count, hex);
    return `${part(8)}-${part(4)}-4${part(3)}-${randomItem(["8", "9", "a", "b"])}${part(3)}-${part(12)}`;
  }

  function randomDate(from, to) {
    const begin = from === undefined ? Date.UTC(2000, 0, 1) : Date.parse(from);
    const end = to === undefined ? Date.now() : Date.parse(to);
    return new Date(begin + Math.random() * (end - begin)).toISOString().slice(0, 10);
  }

  // Unique across all workers of the test: a number of the worker's own, then of the test's
  // workers one after the other. Who takes over from a host that was lost leaps over its numbers.
  function sequentialId() {
    if (fu.current === null) throw new Error("utils.sequentialId() cannot be called in the init code");
    const worker = fu.current.owner;
    worker.ids = (worker.ids ?? fu.idsOfEarlier - 1) + 1;
    return worker.ids * fu.workersOfTheTest + worker.id;
  }

  const randomName = () => `${randomItem(FIRST)} ${randomItem(LAST)}`;

  fu.workersOfTheTest = 1;
  fu.idsOfEarlier = 0;
  fu.utils = Object.freeze({
    uuid,
    randomInt,
    randomString,
    randomItem,
    randomEmail: () => `${randomString(10).toLowerCase()}@example.com`,
    randomPhone: () => `+1-555-${digits(3)}-${digits(4)}`,
    randomName,
    randomAddress: () =>
      `${randomInt(1, 200)} ${randomItem(STREETS)}, ${digits(5)} ${randomItem(CITIES)}`,
    randomDate,
    sequentialId,
  });
})
