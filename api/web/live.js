// The WebSocket of a live test: it comes back by itself, for as long as somebody looks.

import * as session from "./session.js";

const FIRST_WAIT_SECONDS = 0.5;
const LONGEST_WAIT_SECONDS = 10;
const SILENT_SECONDS = 20;

// hooks: opened(), message(data), lost(seconds until the next attempt), refused(message), ended(),
// and speaks(): whether a message is to be expected every second.
// Ends with `signal`, when the test has ended (a clean close), or when the API refuses.
export function follow(testId, signal, hooks) {
  let socket = null;
  let wait = FIRST_WAIT_SECONDS;
  let timer = 0;
  let heard = 0;
  let over = false;

  function connect() {
    if (signal.aborted || over) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    let refusal = null;
    const mine = new WebSocket(`${scheme}://${location.host}/ws/runs/${testId}`, ["auth", session.token()]);
    socket = mine;
    heard = Date.now();
    mine.onopen = () => hooks.opened();
    mine.onmessage = (event) => {
      wait = FIRST_WAIT_SECONDS;
      heard = Date.now();
      const data = JSON.parse(event.data);
      if (data.type === "error") refusal = data;
      else hooks.message(data);
    };
    mine.onclose = (event) => {
      if (mine !== socket || signal.aborted || over) return;
      if (event.code === 1000) {
        over = true;
        clearInterval(watch);
        hooks.ended();
      } else if (event.code >= 4400 && event.code < 4500) {
        over = true;
        clearInterval(watch);
        hooks.refused(refusal ?? { error: event.reason || "The server refused the connection.", code: "" });
      } else again();
    };
  }

  function again() {
    const seconds = wait * (0.75 + Math.random() / 2);
    wait = Math.min(wait * 2, LONGEST_WAIT_SECONDS);
    clearTimeout(timer);
    timer = setTimeout(connect, seconds * 1000);
    hooks.lost(seconds);
  }

  // A connection that a network has dropped may stay open for minutes without a word. Only a
  // running test speaks every second, so silence is no more than a reason to ask again.
  const watch = setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN && hooks.speaks() && Date.now() - heard > SILENT_SECONDS * 1000) drop();
  }, 2000);

  function drop() {
    const old = socket;
    socket = null;
    old?.close();
    again();
  }

  function online() {
    if (over || socket?.readyState === WebSocket.OPEN) return;
    wait = FIRST_WAIT_SECONDS;
    clearTimeout(timer);
    connect();
  }

  window.addEventListener("online", online, { signal });
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    clearInterval(watch);
    socket?.close();
  });
  connect();
}
