// http: requests as operations for the engine, redirects included. A request's method, URL and
// headers are told to the engine once (a template) and then named by a number.
"use strict";
(function (fu) {
  const { CELL, control, Coroutine, exchange, JSON, KIND, operation, Response } = fu;
  const MOST_TEMPLATES = 4096;
  const ID_SEGMENT =
    /\/(?:\d+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})(?=\/|$)/g;

  let templates = new Map();
  let plain = new Map(); // GET without options, by URL: the fast way
  let nextTemplate = 0;
  const settings = { timeout: 60000, maxRedirects: 10, sink: false, headers: [] };

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

  function metricName(method, url) {
    const end = url.search(/[?#]/);
    return `${method} ${(end < 0 ? url : url.slice(0, end)).replace(ID_SEGMENT, "/:id")}`;
  }

  function define(key, method, url, headers, name) {
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
      const value = String(headers[name]);
      if (/[\r\n\0]/.test(value) || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
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

  function milliseconds(value, path) {
    if (value === undefined || value === null) return settings.timeout;
    if (typeof value === "number" && value > 0) return value;
    const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)\s*$/.exec(String(value));
    if (match === null) {
      throw new TypeError(`http: ${path} is ${JSON.stringify(value)}; write it as '60s' or '500ms'`);
    }
    return Number(match[1]) * UNITS[match[2]];
  }

  function formEncode(object) {
    const encode = (text) => encodeURIComponent(text).replace(/%20/g, "+");
    return Object.keys(object)
      .flatMap((name) =>
        (Array.isArray(object[name]) ? object[name] : [object[name]]).map(
          (value) => `${encode(name)}=${encode(String(value))}`,
        ),
      )
      .join("&");
  }

  // A request under way: what to build the response from, and what is left to follow.
  class Exchange {
    constructor(template, body, timeout, redirects, tags, cookies) {
      this.cookies = cookies; // of this request alone, on top of the jar's
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
    operation(slot, KIND.REQUEST, template.id, series, length, request.timeout, cookies, 0);
  }

  function cookieHeader(jar, url, own) {
    const pairs = new Map();
    if (jar !== null) {
      for (const { name, value } of jar.matching(url, Date.now())) {
        if (!pairs.has(name)) pairs.set(name, value);
      }
    }
    for (const name of Object.keys(own ?? {})) {
      const given = own[name];
      const value = typeof given === "object" && given !== null ? given.value : given;
      if (given?.replace === true || !pairs.has(name)) pairs.set(name, String(value));
    }
    const text = [...pairs].map(([name, value]) => `${name}=${value}`).join("; ");
    if (/[\r\n\0]/.test(text)) throw new TypeError("http: a cookie has a forbidden character");
    return text;
  }

  function running(what) {
    const coroutine = fu.current;
    if (coroutine === null) throw new Error(`${what} cannot be called in the init code`);
    return coroutine;
  }

  function get(url, options) {
    if (options !== undefined && options !== null) return request("GET", url, null, options);
    if (settings.headers.length > 0 || fu.hooked) return request("GET", url, null, {});
    const coroutine = running("http.get()");
    url = String(url);
    let entry = plain.get(url);
    if (entry === undefined || entry.timeout !== settings.timeout) {
      const template = templateFor("GET", url, [], undefined);
      entry = new Exchange(template, null, settings.timeout, settings.maxRedirects, null, null);
      plain.set(url, entry);
    }
    coroutine.request = entry;
    send(coroutine.slot, coroutine.owner, entry);
    return fu.OP;
  }

  function prepare(method, url, body, options) {
    const given = options ?? {};
    const headers = headerList(given.headers);
    let content = null;
    if (body !== undefined && body !== null) {
      if (typeof body === "string") content = body;
      else if (body instanceof Uint8Array) content = body;
      else if (body instanceof ArrayBuffer) content = new Uint8Array(body);
      else if (fu.isFormData?.(body)) {
        content = body.body();
        if (!hasHeader(headers, "content-type")) headers.push(["Content-Type", body.contentType()]);
      }
      else if (typeof body === "object") {
        const type = headers.find(([name]) => name.toLowerCase() === "content-type");
        if (type !== undefined && /json/i.test(type[1])) content = JSON.stringify(body);
        else {
          content = formEncode(body);
          if (type === undefined) {
            headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
          }
        }
      } else content = String(body);
    }
    const follow = given.followRedirects !== false;
    const redirects = follow ? Number(given.maxRedirects ?? settings.maxRedirects) : 0;
    const template = templateFor(method, String(url), headers, given.name);
    const tags = given.tags === undefined || given.tags === null ? null : { ...given.tags };
    const timeout = milliseconds(given.timeout, "timeout");
    return new Exchange(template, content, timeout, redirects, tags, given.cookies ?? null);
  }

  function request(method, url, body, options) {
    const coroutine = running(`http.${method.toLowerCase()}()`);
    if (fu.hooked || options?.retry > 0) return fu.retried(method, url, body, options ?? {});
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
    let { body } = entry;
    let headers = from.headers;
    if (status === 303 || ((status === 301 || status === 302) && method === "POST")) {
      if (method !== "HEAD") method = "GET";
      body = null;
      headers = headers.filter(([name]) => !/^content-/i.test(name));
    }
    if (target.origin !== new fu.URL(from.url).origin) {
      headers = headers.filter(([name]) => !/^(authorization|cookie)$/i.test(name));
    }
    const template = templateFor(method, target.href, headers, undefined);
    const { timeout, redirects, tags, cookies } = entry;
    return new Exchange(template, body, timeout, redirects - 1, tags, cookies);
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
      const response = new Response(entry.template.url, at, waiter.owner.scenario.sink);
      if (exchange.completions[at + 18] !== 0) keepCookies(waiter.owner, entry, response);
      const status = exchange.completions[at + 3];
      if (status >= 300 && status < 400) {
        const next = redirected(entry, response);
        if (next !== null) {
          waiter.request = next;
          send(exchange.completions[at], waiter.owner, next);
          return;
        }
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
    del: (url, body, options) =>
      options === undefined ? request("DELETE", url, null, body) : request("DELETE", url, body, options),
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
  fu.httpInternals = { begin, givenHeaders, milliseconds, prepare, running, send };
  fu.completed = completed;
})
