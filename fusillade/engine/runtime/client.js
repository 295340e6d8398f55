// The rest of `http`: retries, hooks, defaults, and what builds URLs and headers.
"use strict";
(function (fu) {
  const { JSON, OP, httpSettings: settings } = fu;
  const { begin, givenHeaders, milliseconds, NamedURL, running, timeoutOf } = fu.httpInternals;
  const MOST_DOUBLINGS = 5;

  // ---- hooks and retries ---------------------------------------------------------------------

  const hooks = { beforeRequest: [], afterResponse: [] };

  function addHook(kind, fn) {
    if (!Object.hasOwn(hooks, kind) || typeof fn !== "function") {
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

  // Hooks may wait, and what they request themselves has no hooks.
  function* callHooks(kind, argument) {
    const coroutine = fu.current;
    if (coroutine.hooking) return;
    coroutine.hooking = true;
    try {
      for (const hook of hooks[kind]) yield fu.awaiting(hook(argument));
    } finally {
      coroutine.hooking = false;
    }
  }

  const failed = (response) => response.status === 0 || response.status >= 500;

  // A request that is repeated while `retryOn(response)` says so, hooks around each attempt.
  function* retried(method, url, body, options) {
    const most = Number(options.retry ?? 0);
    const retryOn = options.retryOn ?? failed;
    const first = milliseconds(options.retryDelay ?? 100, "retryDelay");
    for (let attempt = 0; ; attempt++) {
      const asked = { ...options, method, url, body, headers: { ...options.headers } };
      yield callHooks("beforeRequest", asked);
      begin(fu.current, String(asked.method).toUpperCase(), asked.url, asked.body, asked);
      const response = yield OP;
      yield callHooks("afterResponse", response);
      if (attempt >= most || !(yield fu.awaiting(retryOn(response)))) return response;
      const delay =
        options.retryDelayFn === undefined
          ? first * 2 ** Math.min(attempt, MOST_DOUBLINGS)
          : Number(yield fu.awaiting(options.retryDelayFn(attempt + 1)));
      fu.sleep(delay / 1000);
      yield OP;
    }
  }

  // ---- what builds requests ------------------------------------------------------------------

  // Also a tag: http.url`http://host/users/${id}` has one name in the metrics whatever the id.
  function url(base, params, ...more) {
    if (Array.isArray(base) && Array.isArray(base.raw)) {
      const values = [params, ...more];
      const text = base.map((piece, i) => (i === 0 ? piece : `${values[i - 1]}${piece}`)).join("");
      return new NamedURL(text, base.join("${}"));
    }
    const query = fu.formEncode(params ?? {});
    if (query === "") return String(base);
    return `${base}${String(base).includes("?") ? "&" : "?"}${query}`;
  }

  function setDefaults(defaults) {
    if (defaults.timeout !== undefined) {
      settings.timeout = timeoutOf(defaults.timeout);
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
  fu.http = Object.freeze({
    ...fu.methods,
    addHook,
    batch: fu.batch,
    clearHooks,
    cookieJar,
    file: fu.file,
    graphql,
    setDefaults,
    url,
    basicAuth: (user, password) => `Basic ${fu.base64(`${user}:${password}`)}`,
    bearerToken: (token) => `Bearer ${token}`,
  });
})
