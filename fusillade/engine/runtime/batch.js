// http.batch: several requests side by side for one worker.
"use strict";
(function (fu) {
  const { Coroutine, OP } = fu;
  const { NamedURL, prepare, running, send } = fu.httpInternals;

  // A request as [method, url, body, options]: given as a URL, as such a list, or as an object.
  function described(item) {
    if (Array.isArray(item)) return [String(item[0]).toUpperCase(), item[1], item[2], item[3] ?? {}];
    if (typeof item !== "object" || item === null || item instanceof NamedURL) {
      return ["GET", item, null, {}];
    }
    const method = String(item.method ?? "GET").toUpperCase();
    return [method, item.url, item.body, { ...item, ...item.params }];
  }

  // One request with a slot of its own, which tells the batch when it is done.
  class Part {
    constructor(owner, request, done) {
      this.owner = owner;
      this.request = request;
      this.done = done;
      this.ended = false;
      this.slot = fu.claimSlot(this);
    }

    answered(outcome, threw) {
      this.ended = true;
      fu.freeSlot(this.slot);
      this.done(outcome, threw);
    }
  }

  // A request with hooks or retries: it waits between its attempts, so it is a coroutine.
  function spawn(owner, [method, url, body, options], done) {
    const coroutine = new Coroutine(owner, (ended, threw, outcome) => {
      fu.releaseCoroutine(ended);
      done(outcome, threw);
    });
    fu.adoptCoroutine(coroutine);
    coroutine.top = fu.retried(method, url, body, options);
    fu.resume(coroutine, undefined, false);
  }

  class Batch {
    constructor(coroutine, keys, results) {
      this.coroutine = coroutine;
      this.keys = keys;
      this.results = results;
      this.done = 0;
      this.threw = false;
      this.error = undefined;
      this.waitsFor = Infinity; // once the coroutine waits: how many have to be done
    }

    ended(key, outcome, threw) {
      this.done++;
      if (!threw) this.results[key] = outcome;
      else if (!this.threw) {
        this.threw = true;
        this.error = outcome;
      }
      const { coroutine } = this;
      if (this.done < this.waitsFor || coroutine.ended) return;
      this.waitsFor = Infinity;
      fu.resume(coroutine, undefined, false);
    }

    // Waits until all are done, and tells of each if somebody wants to know.
    *outcome(onProgress) {
      const all = this.keys.length;
      for (let told = 0; told < all; told++) {
        const wanted = onProgress === undefined ? all : told + 1;
        if (this.done < wanted) {
          this.waitsFor = wanted;
          yield OP;
        }
        if (onProgress === undefined) break;
        yield fu.awaiting(onProgress(told + 1, all));
      }
      if (this.threw) throw this.error;
      return this.results;
    }
  }

  // Runs all requests side by side; results in the order (or under the keys) of the requests.
  function batch(requests, onProgress) {
    const coroutine = running("http.batch()");
    if (typeof requests !== "object" || requests === null) {
      throw new TypeError("http.batch(requests): requests must be an array or an object");
    }
    if (onProgress !== undefined && typeof onProgress !== "function") {
      throw new TypeError("http.batch(requests, onProgress): onProgress must be a function");
    }
    const { owner } = coroutine;
    const keys = Object.keys(requests);
    const asked = keys.map((key) => described(requests[key]));
    const results = Array.isArray(requests) ? new Array(keys.length) : {};
    if (keys.length === 0) return results;
    const hooked = fu.hooked && !coroutine.hooking;
    // All are looked at before the first is sent: a wrong one is an error and nothing else.
    const ready = asked.map((one) => (hooked || one[3].retry > 0 ? null : prepare(...one)));
    const whole = new Batch(coroutine, keys, results);
    coroutine.parts = [];
    keys.forEach((key, i) => {
      const done = (outcome, threw) => whole.ended(key, outcome, threw);
      if (ready[i] === null) spawn(owner, asked[i], done);
      else coroutine.parts.push(new Part(owner, ready[i], done));
    });
    for (const part of coroutine.parts) send(part.slot, owner, part.request);
    return whole.outcome(onProgress);
  }

  fu.batch = batch;
})
