// Cookies of one worker, as in RFC 6265: kept by domain, path and name, sent where they belong.
"use strict";
(function (fu) {
  const MOST_COOKIES = 1000;

  // The directory of a URL's path (RFC 6265, 5.1.4).
  function defaultPath(path) {
    const end = path.lastIndexOf("/");
    return end <= 0 ? "/" : path.slice(0, end);
  }

  function pathMatches(path, wanted) {
    if (path === wanted) return true;
    if (!path.startsWith(wanted)) return false;
    return wanted.endsWith("/") || path[wanted.length] === "/";
  }

  function isAddress(host) {
    return /^[\d.]+$/.test(host) || host.startsWith("[");
  }

  // Whether a host may set a cookie for a domain: its own or one above it, but not a whole
  // top-level domain, whose cookies would go to everybody under it.
  function mayCover(host, domain) {
    return domainMatches(host, domain, false) && (domain.includes(".") || domain === host);
  }

  function domainMatches(host, domain, hostOnly) {
    if (host === domain) return true;
    return !hostOnly && host.endsWith(`.${domain}`) && !isAddress(host);
  }

  // A Set-Cookie header in parts, or null; attributes by their names in lower case.
  function parseSetCookie(header) {
    const [pair, ...rest] = header.split(";");
    const equals = pair.indexOf("=");
    if (equals <= 0) return null;
    const attributes = { __proto__: null };
    for (const attribute of rest) {
      const at = attribute.indexOf("=");
      const key = (at < 0 ? attribute : attribute.slice(0, at)).trim().toLowerCase();
      attributes[key] = at < 0 ? "" : attribute.slice(at + 1).trim();
    }
    return { name: pair.slice(0, equals).trim(), value: pair.slice(equals + 1).trim(), attributes };
  }

  // Seconds, or null.
  function maxAge({ "max-age": value }) {
    return /^-?\d+$/.test(value ?? "") ? Number(value) : null;
  }

  // Milliseconds since 1970, or null; also the old form with dashes.
  function expires({ expires: value }) {
    if (value === undefined) return null;
    const moment = Date.parse(value.replace(/(\d)-([a-z]{3})-(\d)/i, "$1 $2 $3"));
    return Number.isNaN(moment) ? null : moment;
  }

  // Cookies as a response has set them, by name: [{name, value, domain, path, ...}].
  function listed(headers) {
    const found = {};
    for (const header of headers) {
      const parsed = parseSetCookie(header);
      if (parsed === null) continue;
      const { name, value, attributes } = parsed;
      const cookie = {
        name,
        value,
        domain: attributes.domain ?? "",
        path: attributes.path ?? "",
        expires: expires(attributes) ?? 0,
        max_age: maxAge(attributes) ?? 0,
        secure: "secure" in attributes,
        http_only: "httponly" in attributes,
      };
      collect(found, name, cookie);
    }
    return found;
  }

  // Adds to the list under a name, which may be one that every object has.
  function collect(lists, name, item) {
    if (Object.hasOwn(lists, name)) lists[name].push(item);
    else {
      const property = { value: [item], enumerable: true, writable: true, configurable: true };
      Object.defineProperty(lists, name, property);
    }
  }

  class Jar {
    #cookies = new Map(); // by domain, path and name

    get size() {
      return this.#cookies.size;
    }

    // Keeps what a Set-Cookie header says, unless it is about somebody else's domain.
    receive(header, url, now) {
      const parsed = parseSetCookie(header);
      if (parsed === null) return;
      const { name, value, attributes } = parsed;
      const host = url.hostname.toLowerCase();
      const domain = (attributes.domain ?? "").replace(/^\./, "").toLowerCase();
      if (domain !== "" && !mayCover(host, domain)) return;
      const age = maxAge(attributes);
      let until = expires(attributes) ?? Infinity;
      if (age !== null) until = age <= 0 ? -Infinity : now + age * 1000;
      const cookie = {
        name,
        value,
        domain: domain === "" ? host : domain,
        hostOnly: domain === "",
        path: attributes.path?.startsWith("/") ? attributes.path : defaultPath(url.pathname),
        expires: until,
        secure: "secure" in attributes,
        http_only: "httponly" in attributes,
      };
      this.keep(cookie, now);
    }

    keep(cookie, now) {
      const key = `${cookie.domain}\n${cookie.path}\n${cookie.name}`;
      if (cookie.expires <= now) {
        this.#cookies.delete(key);
        return;
      }
      // One that is there already keeps its place: cookies are sent in the order of their making.
      if (!this.#cookies.has(key) && this.#cookies.size >= MOST_COOKIES) {
        this.#cookies.delete(this.#cookies.keys().next().value);
      }
      this.#cookies.set(key, cookie);
    }

    // Those that go with a request, longest path first.
    matching(url, now) {
      const host = url.hostname.toLowerCase();
      const secure = url.protocol === "https:";
      const found = [];
      for (const [key, cookie] of this.#cookies) {
        if (cookie.expires <= now) {
          this.#cookies.delete(key);
          continue;
        }
        if (cookie.secure && !secure) continue;
        if (!domainMatches(host, cookie.domain, cookie.hostOnly)) continue;
        if (pathMatches(url.pathname, cookie.path)) found.push(cookie);
      }
      return found.sort((a, b) => b.path.length - a.path.length);
    }

    drop(url, name) {
      if (url === undefined) {
        this.#cookies.clear();
        return;
      }
      const host = url.hostname.toLowerCase();
      for (const [key, cookie] of this.#cookies) {
        if (!domainMatches(host, cookie.domain, cookie.hostOnly)) continue;
        if (name === undefined || cookie.name === name) this.#cookies.delete(key);
      }
    }
  }

  function parsedURL(url) {
    try {
      return new fu.URL(String(url));
    } catch {
      throw new TypeError(`cookieJar: ${fu.JSON.stringify(String(url))} is not an absolute URL`);
    }
  }

  // When a cookie of a script ends: a Date, text, or milliseconds since 1970.
  function moment(value) {
    const found = typeof value === "number" ? value : Date.parse(value);
    if (Number.isNaN(found)) {
      throw new TypeError(`cookieJar: expires is ${String(value)}, which is no date`);
    }
    return found;
  }

  // What `http.cookieJar()` gives: the jar of the worker that asks.
  class CookieJar {
    #jar;

    constructor(jar) {
      this.#jar = jar;
    }

    set(url, name, value, options) {
      const host = parsedURL(url).hostname.toLowerCase();
      const given = options ?? {};
      const domain = String(given.domain ?? "").replace(/^\./, "").toLowerCase();
      if (domain !== "" && !mayCover(host, domain)) {
        throw new TypeError(`cookieJar: ${host} cannot set a cookie for the domain ${domain}`);
      }
      const cookie = {
        name: String(name),
        value: String(value),
        domain: domain === "" ? host : domain,
        hostOnly: domain === "",
        path: given.path ?? "/",
        expires: Infinity,
        secure: given.secure === true,
        http_only: (given.http_only ?? given.httpOnly) === true,
      };
      if (given.expires !== undefined) cookie.expires = moment(given.expires);
      const age = Number(given.max_age ?? given.maxAge ?? 0);
      if (age !== 0) cookie.expires = Date.now() + age * 1000;
      this.#jar.keep(cookie, Date.now());
      return true;
    }

    // The value of a cookie as it goes to a URL, or null; without a name all, as cookiesForUrl().
    get(url, name) {
      if (name === undefined) return this.cookiesForUrl(url);
      const found = this.#jar.matching(parsedURL(url), Date.now());
      return found.find((cookie) => cookie.name === name)?.value ?? null;
    }

    cookiesForUrl(url) {
      const all = {};
      for (const { name, value } of this.#jar.matching(parsedURL(url), Date.now())) {
        collect(all, name, value);
      }
      return all;
    }

    delete(url, name) {
      this.#jar.drop(parsedURL(url), String(name));
    }

    // Those of a URL's host, or all.
    clear(url) {
      this.#jar.drop(url === undefined ? undefined : parsedURL(url), undefined);
    }
  }

  fu.listedCookies = listed;
  fu.Jar = Jar;
  fu.CookieJar = CookieJar;
})
