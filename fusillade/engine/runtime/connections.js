// Connections that last over several calls of a script (WebSockets, event streams). The engine
// holds the socket and what has come in (fusillade/engine/streams/); here is what a script waits
// for, and which worker a connection belongs to.
"use strict";
(function (fu) {
  const { exchange, JSON, KIND, OP, operation } = fu;
  const { givenHeaders, milliseconds, running } = fu.httpInternals;
  const { getOwnPropertyDescriptor, getPrototypeOf, prototype: ObjectPrototype } = Object;
  const { ownKeys } = Reflect;
  const isArray = Array.isArray;

  // What has happened to a connection; mirrored by `Event` in streams/streams.py.
  const EVENT = Object.freeze({
    OPENED: 1,
    FAILED: 2,
    TEXT: 3,
    BINARY: 4,
    RECORD: 5,
    LOST: 6,
    ENDED: 7,
    SENT: 8,
    NOT_SENT: 9,
    NOTHING: 10,
  });
  // How a list in __WORKER_STATE may be nested for its connections to be found.
  const DEEPEST = 3;

  const links = { __proto__: null }; // by number
  let count = 0;

  class Link {
    #genuine = true;

    // A script can reach the constructors of its handles, and may call them with anything.
    static check(value) {
      if (typeof value !== "object" || value === null || !(#genuine in value)) {
        throw new TypeError("connections are made by ws.connect() and sse.connect()");
      }
    }

    constructor(owner, url) {
      this.number = count++;
      this.owner = owner;
      this.url = url;
      this.open = false;
      this.closed = false;
      this.over = false; // nothing will come any more
      this.reconnects = false;
      this.facts = { error: null, errorCode: null, status: 0, protocol: "", closeCode: null };
      this.waits = { __proto__: null }; // coroutines by slot
      this.handle = null; // what the script holds
      this.name = ""; // of the call that waits
    }
  }

  fu.apart(Link);

  // Of an object that a script holds -> its Link.
  const linkOf = new WeakMap();
  const { get, set } = WeakMap.prototype;
  const call = Function.prototype.call.bind(Function.prototype.call);

  function wait(link, kind, argument) {
    const coroutine = running(`${link.name}()`);
    link.waits[coroutine.slot] = coroutine;
    operation(coroutine.slot, kind, link.number, argument, 0, 0, 0, 0);
    return OP;
  }

  function cookiesFor(owner, url) {
    if (owner.jar === null || owner.jar.size === 0) return "";
    const parsed = new fu.URL(url.replace(/^ws/i, "http"));
    return owner.jar
      .matching(parsed, Date.now())
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }

  // Begins a connection; the running coroutine will get a `Handle`.
  function connect(protocol, url, options, Handle, schemes) {
    const what = `${protocol}.connect`;
    const { owner } = running(`${what}()`);
    const address = String(url);
    let good = schemes.test(address);
    try {
      new fu.URL(address.replace(/^ws/i, "http"));
    } catch {
      good = false;
    }
    if (!good) {
      const right = protocol === "ws" ? "ws:// or wss://" : "http:// or https://";
      throw new TypeError(`${what}: "${address}" is not a valid URL that begins with ${right}`);
    }
    const given = options ?? {};
    const headers = givenHeaders(given.headers ?? {});
    if (!headers.some(([name]) => name.toLowerCase() === "cookie")) {
      const cookies = cookiesFor(owner, address);
      if (cookies !== "") headers.push(["Cookie", cookies]);
    }
    const retries = Number(given.maxRetries ?? 5);
    if (!(retries >= 0)) throw new TypeError(`${what}: maxRetries must be a number from 0`);
    const link = new Link(owner, address);
    link.name = what;
    link.reconnects = given.reconnect === true;
    const asked = {
      protocol,
      url: address,
      headers,
      tags: { ...owner.context.all, ...textOf(given.tags) },
      subprotocols: [given.protocols ?? []].flat().map((name) => subprotocol(what, name)),
      timeout_ms: milliseconds(given.timeout, "timeout"),
      max_retries: link.reconnects ? Math.min(Math.floor(retries), 2 ** 31) : 0,
      retry_delay_ms: milliseconds(given.retryDelay ?? 100, "retryDelay"),
    };
    const text = JSON.stringify(asked);
    link.handle = new Handle(link);
    call(set, linkOf, link.handle, link);
    links[link.number] = link;
    owner.connections ??= { __proto__: null };
    owner.connections[link.number] = link;
    return wait(link, KIND.OPEN, fu.putText(text));
  }

  function textOf(tags) {
    const texts = {};
    for (const name of Object.keys(tags ?? {})) texts[name] = String(tags[name]);
    return texts;
  }

  function subprotocol(what, name) {
    if (typeof name === "string" && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return name;
    throw new TypeError(`${what}: ${JSON.stringify(name)} cannot be the name of a protocol`);
  }

  // null at once when nothing can come any more.
  function receive(link, timeout) {
    if (link.closed || link.over) return null;
    const limit = timeout === undefined || timeout === null ? -1 : Number(timeout);
    if (Number.isNaN(limit)) {
      throw new TypeError("recv(timeout): the timeout must be a number of milliseconds");
    }
    link.name = "recv";
    return wait(link, KIND.RECEIVE, limit);
  }

  // `put` writes the message into the exchange and returns its length; false when it cannot be
  // sent any more.
  function send(link, kind, put) {
    if (link.closed || link.over || !(link.open || link.reconnects)) return false;
    link.name = "send";
    running("send()");
    return wait(link, kind, put());
  }

  function close(link) {
    if (link.closed) return;
    link.closed = true;
    link.open = false;
    delete links[link.number];
    delete link.owner.connections[link.number];
    operation(0, KIND.CLOSE, link.number, 0, 0, 0, 0, 0);
    // Others of this worker's coroutines may wait for what will not come: the engine tells them.
    for (const slot in link.waits) if (!link.waits[slot].ended) links[link.number] = link;
  }

  // The engine has put an event into the exchange.
  function happened(at) {
    const row = exchange.events;
    const slot = row[at];
    const link = links[row[at + 2]];
    if (link === undefined) return;
    const from = row[at + 3];
    const to = from + row[at + 4];
    let outcome;
    switch (row[at + 1]) {
      case EVENT.OPENED:
        link.open = !link.closed;
        learn(link, from, to);
        outcome = link.handle;
        break;
      case EVENT.FAILED:
        link.over = true;
        learn(link, from, to);
        outcome = link.handle;
        break;
      case EVENT.TEXT:
        outcome = fu.decode(exchange.inBytes, from, to);
        break;
      case EVENT.BINARY:
        outcome = { type: "binary", data: fu.decode(exchange.inBytes, from, to) };
        break;
      case EVENT.RECORD:
        outcome = JSON.parse(fu.decode(exchange.inBytes, from, to));
        break;
      case EVENT.LOST:
        link.open = false;
        learn(link, from, to);
        break;
      case EVENT.ENDED:
        link.over = true;
        outcome = null;
        break;
      case EVENT.SENT:
        outcome = true;
        break;
      case EVENT.NOT_SENT:
        outcome = false;
        break;
      case EVENT.NOTHING:
        outcome = null;
        break;
    }
    if (slot < 0) return;
    const coroutine = link.waits[slot];
    delete link.waits[slot];
    if (link.closed && ownKeys(link.waits).length === 0) delete links[link.number];
    if (coroutine !== undefined && !coroutine.ended) fu.resume(coroutine, outcome, false);
  }

  function learn(link, from, to) {
    if (to > from) link.facts = { ...link.facts, ...JSON.parse(fu.decode(exchange.inBytes, from, to)) };
  }

  // ---- whose connections they are ------------------------------------------------------------

  // Adds the connections that are in `value`: itself, or in plain lists and objects below it.
  function collect(value, depth, found) {
    if (typeof value !== "object" || value === null || depth > DEEPEST) return;
    const link = call(get, linkOf, value);
    if (link !== undefined) {
      found[link.number] = true;
      return;
    }
    if (!isArray(value) && getPrototypeOf(value) !== ObjectPrototype) return;
    for (const key of ownKeys(value)) {
      // Not the value itself: no getter of the script may run here.
      collect(getOwnPropertyDescriptor(value, key)?.value, depth + 1, found);
    }
  }

  function keptBy(worker) {
    const found = { __proto__: null };
    const before = fu.current;
    fu.current = null;
    try {
      collect(worker.state, 0, found);
    } catch {
      // A trap of a Proxy threw: what it hides is not kept.
    } finally {
      fu.current = before;
    }
    return found;
  }

  // Closes what a worker has left open; with `keep`, not what __WORKER_STATE holds.
  function closeConnections(worker, keep) {
    if (worker.connections === null) return;
    let kept = null;
    for (const number in worker.connections) {
      if (keep) kept ??= keptBy(worker);
      if (kept === null || !kept[number]) close(worker.connections[number]);
    }
  }

  // ---- protocols that are not there yet -------------------------------------------------------

  function absent(name, protocol) {
    return new Error(`${name} is not available yet: tests cannot use ${protocol}`);
  }

  const absentClass = (name, protocol) =>
    class {
      constructor() {
        throw absent(name, protocol);
      }
    };

  fu.unavailable = {
    GrpcClient: absentClass("GrpcClient", "gRPC"),
    JsMqttClient: absentClass("JsMqttClient", "MQTT"),
    JsAmqpClient: absentClass("JsAmqpClient", "AMQP"),
    chromium: Object.freeze({
      launch() {
        throw absent("chromium", "a browser");
      },
    }),
  };
  fu.links = { check: Link.check, close, connect, receive, send };
  fu.closeConnections = closeConnections;
  fu.happened = happened;
})
