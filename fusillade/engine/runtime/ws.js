// ws: WebSocket connections (RFC 6455) of a script.
"use strict";
(function (fu) {
  const { KIND } = fu;
  const { check, close, connect, receive, send } = fu.links;

  class WebSocketConnection {
    #link;

    constructor(link) {
      check(link);
      this.#link = link;
      this.url = link.url;
    }

    // True when the message is on its way, false when the connection is gone.
    send(text) {
      return send(this.#link, KIND.SEND_TEXT, () => fu.putText(String(text)));
    }

    // Base64, or bytes (Uint8Array, ArrayBuffer).
    sendBinary(data) {
      if (data instanceof Uint8Array || data instanceof ArrayBuffer) {
        const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
        return send(this.#link, KIND.SEND_BYTES, () => fu.putBytes(bytes));
      }
      const text = String(data).replace(/-/g, "+").replace(/_/g, "/").replace(/[=\s]+$/, "");
      if (!/^[A-Za-z0-9+/]*$/.test(text) || text.length % 4 === 1) {
        throw new TypeError("sendBinary(data): data must be base64 text or bytes");
      }
      const padded = text + "=".repeat((4 - (text.length % 4)) % 4);
      return send(this.#link, KIND.SEND_BASE64, () => fu.putText(padded));
    }

    // The next message; null when the connection has ended, or none came in time.
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

    // The status of the answer to the handshake: 101, or why it was refused; 0 without an answer.
    get status() {
      return this.#link.facts.status;
    }

    // The subprotocol that the server has chosen, or "".
    get protocol() {
      return this.#link.facts.protocol;
    }

    // The code that the server closed the connection with, 1006 when it went without one.
    get closeCode() {
      return this.#link.facts.closeCode;
    }
  }

  fu.ws = Object.freeze({
    connect: (url, options) => connect("ws", url, options, WebSocketConnection, /^wss?:\/\/[^\s/]/i),
  });
})
