// http: requests as operations for the engine, redirects included. A request's method, URL and
// headers are told to the engine once (a template) and then named by a number.
"use strict";
(function (fu) {
  const { Coroutine, exchange, formEncode, JSON, KIND, operation, Response } = fu;
  const MOST_TEMPLATES = 4096;
  const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
  const ID_SEGMENT =
    /\/(?:\d+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})(?=\/|$)/g;

  let templates = new Map();
  let plain = new Map(); // GET without options, by URL: the fast way
  let nextTemplate = 0;
  const settings = { timeout: 60000, maxRedirects: 10, sink: false, headers: [], ownConnections: false };

  class Template {
    constructor(id, method, url, headers, name, parsed) {
      this.parsed = parsed;
      this.id = id;
      this.method = method;
      this.url = url;
      this.headers = headers;
      this.name = name;
      this.context = null;
      this.series = -1;
    }
  }

  // An address that has a name of its own in the metrics: http.url`http://host/${id}`.
  class NamedURL {
    constructor(url, name) {
      this.url = url;
      this.name = name;
    }

    toString() {
      return this.url;
    }
  }

  function metricName(method, url) {
    const end = url.search(/[?#]/);
    const shown = (end < 0 ? url : url.slice(0, end)).replace(/^(https?:\/\/)[^/]*@/i, "$1");
    return `${method} ${shown.replace(ID_SEGMENT, "/:id")}`;
  }

  function define(key, method, url, headers, name) {
    if (!TOKEN.test(method)) {
      throw new TypeError(`http: the method ${JSON.stringify(method)} has a forbidden character`);
    }
    if (!/^https?:\/\/[^\s/]/i.test(url)) {
      throw new TypeError(
        `http: "${url}" is not an absolute URL; it must begin with http:// or https://`,
      );
    }
    let parsed;
    try {
      parsed = new fu.URL(url);
    } catch {
      throw new TypeError(`http: "${url}" is not a valid URL`);
    }
    // Spaces, control characters and letters of other scripts go as URLs have them.
    if (/[^\x21-\x7e]/.test(url)) url = parsed.href;
    if (templates.size >= MOST_TEMPLATES) {
      templates = new Map();
      plain = new Map();
      operation(0, KIND.FORGET_TEMPLATES, 0, 0, 0, 0, 0, 0);
    }
    const id = nextTemplate++;
    const template = new Template(id, method, url, headers, name ?? metricName(method, url), parsed);
    const text = JSON.stringify({ method, url, headers });
    operation(0, KIND.DEFINE_TEMPLATE, id, fu.putText(text), 0, 0, 0, 0);
    templates.set(key, template);
    return template;
  }

  function templateFor(method, url, headers, name) {
    const key = `${method} ${url}\n${headers.length === 0 ? "" : JSON.stringify(headers)}\n${name}`;
    return templates.get(key) ?? define(key, method, url, headers, name);
  }

  function headerList(headers) {
    if (headers === undefined || headers === null) return settings.headers.slice();
    const list = givenHeaders(headers);
    for (const [name, value] of settings.headers) {
      if (!hasHeader(list, name.toLowerCase())) list.push([name, value]);
    }
    return list;
  }

  function givenHeaders(headers) {
    const list = [];
    for (const name of Object.keys(headers)) {
      if (headers[name] === undefined || headers[name] === null) continue;
      const value = String(headers[name]);
      if (/[\r\n\0]/.test(value) || !TOKEN.test(name)) {
        throw new TypeError(`http: the header ${JSON.stringify(name)} has a forbidden character`);
      }
      list.push([name, value]);
    }
    return list;
  }

  function hasHeader(list, wanted) {
    return list.some(([name]) => name.toLowerCase() === wanted);
  }

  const UNITS = { ms: 1, s: 1000, m: 60000, h: 3600000 };
  const LONGEST = 24 * UNITS.h;
  const DURATION = /^\s*(?:\d+(?:\.\d+)?(?:ms|s|m|h))+\s*$/;

  function milliseconds(value, path) {
    if (value === undefined || value === null) return settings.timeout;
    if (typeof value === "number" && value >= 0) return Math.min(value, LONGEST);
    const text = String(value).replace(/(\d)\s+(?=[a-z])/g, "$1");
    if (!DURATION.test(text)) {
      throw new TypeError(`http: ${path} is ${JSON.stringify(value)}; write it as '60s' or '500ms'`);
    }
    let sum = 0;
    for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) {
      sum += Number(number) * UNITS[unit];
    }
    return Math.min(sum, LONGEST);
  }

  function timeoutOf(value) {
    const timeout = milliseconds(value, "timeout");
    if (timeout === 0) throw new TypeError("http: timeout is 0; it must be longer");
    return timeout;
  }

  function redirectsOf({ followRedirects, maxRedirects }) {
    if (followRedirects === false) return 0;
    const most = Number(maxRedirects ?? settings.maxRedirects);
    if (most >= 0) return most;
    throw new TypeError(`http: maxRedirects is ${JSON.stringify(maxRedirects)}; write it as 10`);
  }

  // A request under way: what to build the response from, and what is left to follow.
  class Exchange {
    constructor(template, body, timeout, redirects, tags, cookies, name) {
      this.cookies = cookies; // of this request alone, on top of the jar's
      this.name = name; // as given, also for what it redirects to
      this.template = template;
      this.body = body;
      this.timeout = timeout;
      this.redirects = redirects;
      this.tags = tags;
    }
  }

  function send(slot, owner, request) {
    const template = request.template;
    const context = owner.context;
    let series = template.series;
    if (template.context !== context || request.tags !== null) {
      series = fu.seriesFor(context, template.name, template.method, request.tags);
      if (request.tags === null) {
        template.context = context;
        template.series = series;
      }
    }
    let cookies = 0;
    const { jar } = owner;
    if ((jar !== null && jar.size > 0) || request.cookies !== null) {
      const text = cookieHeader(jar, template.parsed, request.cookies);
      if (text !== "") cookies = fu.putText(text);
    }
    let length = -1;
    const body = request.body;
    if (body !== null) {
      length = typeof body === "string" ? fu.putText(body) : fu.putBytes(body);
    }
    if (settings.ownConnections) operation(slot, KIND.OWN, 0, owner.id, 0, 0, 0, 0);
    operation(slot, KIND.REQUEST, template.id, series, length, request.timeout, cookies, 0);
  }

  // The request's own cookies, then the jar's, but for those that they replace.
  function cookieHeader(jar, url, own) {
    const pairs = [];
    const replaced = new Set();
    if (own !== null) {
      for (const [name, given] of own) {
        const isObject = typeof given === "object" && given !== null;
        if (isObject && given.replace === true) replaced.add(name);
        pairs.push(name === "" ? String(given) : `${name}=${isObject ? given.value : given}`);
      }
    }
    if (jar !== null) {
      for (const { name, value } of jar.matching(url, Date.now())) {
        if (!replaced.has(name)) pairs.push(`${name}=${value}`);
      }
    }
    const text = pairs.join("; ");
    if (/[\r\n\0]/.test(text)) throw new TypeError("http: a cookie has a forbidden character");
    return text;
  }

  // Of options' `cookies` and a `Cookie` header (under no name), which is taken out of the list.
  function ownCookies(cookies, headers) {
    const own = Object.entries(cookies ?? {});
    const at = headers.findIndex(([name]) => name.toLowerCase() === "cookie");
    if (at >= 0) own.unshift(["", headers.splice(at, 1)[0][1]]);
    return own.length === 0 ? null : own;
  }

  function running(what) {
    const coroutine = fu.current;
    if (coroutine === null) throw new Error(`${what} cannot be called in the init code`);
    return coroutine;
  }

  function get(url, options) {
    if (options !== undefined && options !== null) return request("GET", url, null, options);
    if (settings.headers.length > 0 || fu.hooked || typeof url === "object") {
      return request("GET", url, null, {});
    }
    const coroutine = running("http.get()");
    url = String(url);
    let entry = plain.get(url);
    if (entry === undefined || entry.timeout !== settings.timeout) {
      const template = templateFor("GET", url, [], undefined);
      entry = new Exchange(template, null, settings.timeout, settings.maxRedirects, null, null, undefined);
      plain.set(url, entry);
    }
    coroutine.request = entry;
    send(coroutine.slot, coroutine.owner, entry);
    return fu.OP;
  }

  // A body as text or bytes; says in the headers what it is.
  function contentOf(body, headers) {
    if (body === undefined || body === null) return null;
    if (typeof body !== "object") return String(body);
    const bytes = fu.binary(body);
    if (bytes !== null) return bytes;
    const at = headers.findIndex(([name]) => name.toLowerCase() === "content-type");
    const type = headers[at];
    const form = body instanceof fu.FormData ? body : fu.formOf(body);
    if (form !== null) {
      // An object's parts can be told apart by our own type alone, whatever was given.
      if (type !== undefined && form !== body) headers.splice(at, 1);
      if (type === undefined || form !== body) headers.push(["Content-Type", form.contentType()]);
      const content = form.body();
      return typeof content === "string" ? content : new Uint8Array(content);
    }
    if (type !== undefined && /json/i.test(type[1])) return JSON.stringify(body);
    if (type === undefined) headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
    return formEncode(body);
  }

  function prepare(method, url, body, options) {
    const given = options ?? {};
    const headers = headerList(given.headers);
    const content = contentOf(body, headers);
    const cookies = ownCookies(given.cookies, headers);
    const redirects = redirectsOf(given);
    let name = url instanceof NamedURL ? `${method} ${url.name}` : undefined;
    if (given.name !== undefined && given.name !== null) name = String(given.name);
    const template = templateFor(method, String(url), headers, name);
    const tags = given.tags === undefined || given.tags === null ? null : fu.tagsOf(given.tags);
    const timeout = timeoutOf(given.timeout);
    return new Exchange(template, content, timeout, redirects, tags, cookies, name);
  }

  function request(method, url, body, options) {
    const coroutine = running(`http.${method.toLowerCase()}()`);
    if ((fu.hooked && !coroutine.hooking) || options?.retry > 0) {
      return fu.retried(method, url, body, options ?? {});
    }
    return begin(coroutine, method, url, body, options);
  }

  function begin(coroutine, method, url, body, options) {
    const entry = prepare(method, url, body, options);
    coroutine.request = entry;
    send(coroutine.slot, coroutine.owner, entry);
    return fu.OP;
  }

  function redirected(entry, response) {
    if (entry.redirects <= 0) return null;
    const status = response.status;
    if (status < 301 || status > 308 || (status > 303 && status < 307)) return null;
    const location = response.headers.Location;
    if (location === undefined) return null;
    const from = entry.template;
    let target;
    try {
      target = new fu.URL(location, from.url);
    } catch {
      return null;
    }
    if (target.protocol !== "http:" && target.protocol !== "https:") return null;
    target.hash = "";
    let { method } = from;
    let { body, cookies } = entry;
    let headers = from.headers;
    if (status === 303 || ((status === 301 || status === 302) && method === "POST")) {
      if (method !== "HEAD") method = "GET";
      body = null;
      headers = headers.filter(([name]) => !/^content-/i.test(name));
    }
    if (target.origin !== new fu.URL(from.url).origin) {
      headers = headers.filter(([name]) => name.toLowerCase() !== "authorization");
      cookies = null;
    }
    const { timeout, redirects, tags, name } = entry;
    const template = templateFor(method, target.href, headers, name);
    return new Exchange(template, body, timeout, redirects - 1, tags, cookies, name);
  }

  function keepCookies(owner, entry, response) {
    owner.jar ??= new fu.Jar();
    const now = Date.now();
    for (const header of response.setCookies()) owner.jar.receive(header, entry.template.parsed, now);
  }

  // The engine has finished the request of `waiter`; its row begins at `at`.
  function completed(waiter, at) {
    const coroutine = waiter instanceof Coroutine;
    const entry = waiter.request;
    let outcome;
    let failed = false;
    try {
      const response = new Response(entry, at, waiter.owner.scenario.sink);
      if (exchange.completions[at + 18] !== 0) keepCookies(waiter.owner, entry, response);
      const status = exchange.completions[at + 3];
      if (status >= 300 && status < 400) {
        const next = redirected(entry, response);
        if (next !== null) {
          waiter.request = next;
          send(exchange.completions[at], waiter.owner, next);
          return;
        }
      } else if (status >= 400 || status === 0) {
        const row = exchange.completions;
        fu.requestFailed(waiter.owner, entry, response, status, row[at + 2], row[at + 4]);
      }
      outcome = response;
    } catch (error) {
      outcome = error;
      failed = true;
    }
    if (coroutine) fu.resume(waiter, outcome, failed);
    else waiter.answered(outcome, failed);
  }

  const withBody = (method) => (url, body, options) => request(method, url, body, options);
  const withoutBody = (method) => (url, options) => request(method, url, null, options);

  fu.methods = {
    get,
    head: withoutBody("HEAD"),
    options: withoutBody("OPTIONS"),
    // Our own (url, options), or k6's (url, body, options).
    del: (url, body, options) =>
      options === undefined && typeof body === "object" && fu.binary(body) === null
        ? request("DELETE", url, null, body)
        : request("DELETE", url, body, options),
    post: withBody("POST"),
    put: withBody("PUT"),
    patch: withBody("PATCH"),
    request: (first, url, body, options) =>
      typeof first === "string"
        ? request(first.toUpperCase(), url, body, options)
        : request(String(first.method ?? "GET").toUpperCase(), first.url, first.body, first),
    formEncode,
  };
  fu.hooked = false;
  fu.httpSettings = settings;
  fu.httpInternals = { begin, givenHeaders, milliseconds, NamedURL, prepare, running, send, timeoutOf };
  fu.completed = completed;
})
