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

  function domainMatches(host, domain, hostOnly) {
    if (host === domain) return true;
    return !hostOnly && host.endsWith(`.${domain}`) && !isAddress(host);
  }

  class Jar {
    #cookies = new Map(); // by domain, path and name

    get size() {
      return this.#cookies.size;
    }

    // Keeps what a Set-Cookie header says, unless it is about somebody else's domain.
    receive(header, url, now) {
      const [pair, ...attributes] = header.split(";");
      const equals = pair.indexOf("=");
      if (equals <= 0) return;
      const cookie = {
        name: pair.slice(0, equals).trim(),
        value: pair.slice(equals + 1).trim(),
        domain: url.hostname.toLowerCase(),
        hostOnly: true,
        path: defaultPath(url.pathname),
        expires: Infinity,
        secure: false,
        http_only: false,
      };
      let aged = false;
      for (const attribute of attributes) {
        const [key, ...rest] = attribute.split("=");
        const value = rest.join("=").trim();
        switch (key.trim().toLowerCase()) {
          case "domain": {
            const domain = value.replace(/^\./, "").toLowerCase();
            if (domain === "") break;
            if (!domainMatches(cookie.domain, domain, false)) return;
            // A cookie for a whole top-level domain would go to everybody under it.
            if (!domain.includes(".") && domain !== cookie.domain) return;
            cookie.hostOnly = false;
            cookie.domain = domain;
            break;
          }
          case "path":
            if (value.startsWith("/")) cookie.path = value;
            break;
          case "max-age": {
            const seconds = Number(value);
            if (!Number.isInteger(seconds)) break;
            cookie.expires = seconds <= 0 ? -Infinity : now + seconds * 1000;
            aged = true;
            break;
          }
          case "expires": {
            const moment = Date.parse(value);
            if (!aged && !Number.isNaN(moment)) cookie.expires = moment;
            break;
          }
          case "secure":
            cookie.secure = true;
            break;
          case "httponly":
            cookie.http_only = true;
            break;
        }
      }
      this.keep(cookie, now);
    }

    keep(cookie, now) {
      const key = `${cookie.domain}\n${cookie.path}\n${cookie.name}`;
      this.#cookies.delete(key);
      if (cookie.expires <= now) return;
      if (this.#cookies.size >= MOST_COOKIES) {
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
      const host = url.hostname.toLowerCase();
      for (const [key, cookie] of this.#cookies) {
        if (!domainMatches(host, cookie.domain, cookie.hostOnly)) continue;
        if (name === undefined || cookie.name === name) this.#cookies.delete(key);
      }
    }
  }

  // What `http.cookieJar()` gives: the jar of the worker that asks.
  class CookieJar {
    #jar;

    constructor(jar) {
      this.#jar = jar;
    }

    set(url, name, value, options) {
      const parsed = new fu.URL(url);
      const given = options ?? {};
      const domain = given.domain === undefined ? undefined : String(given.domain).toLowerCase();
      const cookie = {
        name: String(name),
        value: String(value),
        domain: (domain ?? parsed.hostname.toLowerCase()).replace(/^\./, ""),
        hostOnly: domain === undefined,
        path: given.path ?? "/",
        expires: given.expires === undefined ? Infinity : Date.parse(given.expires),
        secure: given.secure === true,
        http_only: given.http_only === true,
      };
      if (given.max_age > 0) cookie.expires = Date.now() + given.max_age * 1000;
      this.#jar.keep(cookie, Date.now());
      return true;
    }

    get(url, name) {
      const found = this.#jar.matching(new fu.URL(url), Date.now());
      return found.find((cookie) => cookie.name === name)?.value ?? null;
    }

    cookiesForUrl(url) {
      const all = {};
      for (const { name, value } of this.#jar.matching(new fu.URL(url), Date.now())) {
        (all[name] ??= []).push(value);
      }
      return all;
    }

    delete(url, name) {
      this.#jar.drop(new fu.URL(url), name);
    }

    clear(url) {
      this.#jar.drop(new fu.URL(url), undefined);
    }
  }

  fu.Jar = Jar;
  fu.CookieJar = CookieJar;
})
