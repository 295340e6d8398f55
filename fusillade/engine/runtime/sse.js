// sse: event streams (WHATWG HTML, "Server-sent events") of a script.
"use strict";
(function (fu) {
  const { check, close, connect, receive } = fu.links;

  class EventStream {
    #link;

    constructor(link) {
      check(link);
      this.#link = link;
      this.url = link.url;
    }

    // The next event, {event, data, id}; null when the stream has ended, or none came in time.
    recv(timeout) {
      return receive(this.#link, timeout);
    }

    isConnected() {
      return this.#link.open;
    }

    close() {
      close(this.#link);
    }

    // `error` and `errorCode` as of a response of http; null while all is well.
    get error() {
      return this.#link.facts.error;
    }

    get errorCode() {
      return this.#link.facts.errorCode;
    }

    get status() {
      return this.#link.facts.status;
    }
  }

  fu.sse = Object.freeze({
    connect: (url, options) => connect("sse", url, options, EventStream, /^https?:\/\/[^\s/]/i),
  });
})
