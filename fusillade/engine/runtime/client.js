// The rest of `http`: batches, retries, hooks, defaults, forms and what builds URLs and headers.
"use strict";
(function (fu) {
  const { JSON, OP, isPending, httpSettings: settings } = fu;
  const { begin, givenHeaders, milliseconds, prepare, running, send } = fu.httpInternals;
  const MOST_DOUBLINGS = 5;

  // ---- hooks and retries ---------------------------------------------------------------------

  const hooks = { beforeRequest: [], afterResponse: [] };

  function addHook(kind, fn) {
    if (hooks[kind] === undefined || typeof fn !== "function") {
      throw new TypeError("http.addHook('beforeRequest' or 'afterResponse', function)");
    }
    hooks[kind].push(fn);
    fu.hooked = true;
  }

  function clearHooks() {
    hooks.beforeRequest = [];
    hooks.afterResponse = [];
    fu.hooked = false;
  }

  const failed = (response) => response.status === 0 || response.status >= 500;

  // A request that is repeated while `retryOn(response)` says so, hooks around each attempt.
  function* retried(method, url, body, options) {
    const most = Number(options.retry ?? 0);
    const retryOn = options.retryOn ?? failed;
    const first = milliseconds(options.retryDelay ?? 100, "retryDelay");
    for (let attempt = 0; ; attempt++) {
      const asked = { method, url, body, ...options, headers: { ...options.headers } };
      for (const hook of hooks.beforeRequest) {
        const result = hook(asked);
        if (isPending(result)) yield result;
      }
      begin(fu.current, asked.method, asked.url, asked.body, asked);
      const response = yield OP;
      for (const hook of hooks.afterResponse) {
        const result = hook(response);
        if (isPending(result)) yield result;
      }
      if (attempt >= most) return response;
      let again = retryOn(response);
      if (isPending(again)) again = yield again;
      if (!again) return response;
      const delay =
        options.retryDelayFn === undefined
          ? first * 2 ** Math.min(attempt, MOST_DOUBLINGS)
          : Number(options.retryDelayFn(attempt + 1));
      fu.sleep(delay / 1000);
      yield OP;
    }
  }

  // ---- batches -------------------------------------------------------------------------------

  function described(item) {
    if (typeof item === "string") return prepare("GET", item, null, undefined);
    if (Array.isArray(item)) {
      const [method, url, body, options] = item;
      return prepare(String(method).toUpperCase(), url, body, options);
    }
    const method = String(item.method ?? "GET").toUpperCase();
    return prepare(method, item.url, item.body, { ...item, ...item.params });
  }

  // One request of a batch: has a slot of its own, and tells the batch when it is done.
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

  // Runs all requests side by side; results in the order (or under the keys) of the requests.
  function batch(requests, onProgress) {
    const coroutine = running("http.batch()");
    const { owner } = coroutine;
    const keys = Object.keys(requests);
    const entries = keys.map((key) => described(requests[key]));
    const results = Array.isArray(requests) ? [] : {};
    if (keys.length === 0) return results;
    let left = keys.length;
    const parts = entries.map(
      (entry, i) =>
        new Part(owner, entry, (outcome, threw) => {
          results[keys[i]] = threw ? null : outcome;
          left--;
          if (coroutine.ended) return;
          if (onProgress !== undefined) onProgress(keys.length - left, keys.length);
          if (left === 0) {
            coroutine.parts = null;
            fu.resume(coroutine, results, false);
          }
        }),
    );
    coroutine.parts = parts;
    for (const part of parts) send(part.slot, owner, part.request);
    return OP;
  }

  // ---- forms ---------------------------------------------------------------------------------

  class FilePart {
    constructor(data, filename, contentType) {
      this.data = data;
      this.filename = filename ?? "file";
      this.content_type = contentType ?? "application/octet-stream";
    }
  }

  class FormData {
    #parts = [];
    #boundary = `----fusillade${Math.random().toString(16).slice(2)}${Math.random().toString(16).slice(2)}`;

    append(name, value) {
      this.#parts.push([String(name), value]);
    }

    body() {
      const quote = (text) => text.replace(/"/g, "%22").replace(/[\r\n]/g, " ");
      const lines = this.#parts.map(([name, value]) => {
        const disposition = `Content-Disposition: form-data; name="${quote(name)}"`;
        if (value instanceof FilePart) {
          return (
            `${disposition}; filename="${quote(value.filename)}"\r\n` +
            `Content-Type: ${value.content_type}\r\n\r\n${value.data}`
          );
        }
        return `${disposition}\r\n\r\n${value}`;
      });
      const opened = lines.map((line) => `--${this.#boundary}\r\n${line}\r\n`).join("");
      return `${opened}--${this.#boundary}--\r\n`;
    }

    contentType() {
      return `multipart/form-data; boundary=${this.#boundary}`;
    }
  }

  // ---- what builds requests ------------------------------------------------------------------

  function url(base, params) {
    const query = fu.methods.formEncode(params ?? {});
    if (query === "") return String(base);
    return `${base}${String(base).includes("?") ? "&" : "?"}${query}`;
  }

  function setDefaults(defaults) {
    if (defaults.timeout !== undefined) {
      settings.timeout = milliseconds(defaults.timeout, "timeout");
    }
    if (defaults.headers !== undefined) settings.headers = givenHeaders(defaults.headers);
  }

  function graphql(address, query, variables, options) {
    const given = options ?? {};
    const headers = { "Content-Type": "application/json", ...given.headers };
    const body = JSON.stringify({ query, variables: variables ?? {} });
    return fu.methods.post(address, body, { ...given, headers });
  }

  function cookieJar() {
    const { owner } = running("http.cookieJar()");
    owner.jar ??= new fu.Jar();
    return new fu.CookieJar(owner.jar);
  }

  fu.retried = retried;
  fu.isFormData = (value) => value instanceof FormData;
  fu.FormData = FormData;
  fu.http = Object.freeze({
    ...fu.methods,
    addHook,
    batch,
    clearHooks,
    cookieJar,
    file: (data, filename, contentType) => new FilePart(data, filename, contentType),
    graphql,
    setDefaults,
    url,
    basicAuth: (user, password) => `Basic ${fu.base64(`${user}:${password}`)}`,
    bearerToken: (token) => `Bearer ${token}`,
  });
})
