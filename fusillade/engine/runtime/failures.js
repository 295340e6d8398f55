// A sample of the requests that failed: what was sent and what came back, for people who look for
// the cause. The first few of each kind, and so many in all; `failures/sample.py` is the judge.
"use strict";
(function (fu) {
  const { CELL, control, KIND, operation, putBytes, putText } = fu;
  const { apply } = Reflect;
  const { add, has } = WeakSet.prototype;
  const { get, set } = Map.prototype;
  const { subarray } = Uint8Array.prototype;
  const MOST = 100;
  const OF_A_KIND = 5;
  const MOST_BYTES = 4096; // of a body: what is cut off later may not begin within a secret

  let left = MOST;
  const kinds = new Map();
  const kept = new WeakSet(); // responses

  function number(value) {
    return typeof value === "number" && value >= 0 && value < 1e15 ? value : 0;
  }

  function putContent(content) {
    const at = control[CELL.OUT_BYTES];
    const size = typeof content === "string" ? putText(content) : putBytes(content);
    if (size > MOST_BYTES) control[CELL.OUT_BYTES] = at + MOST_BYTES;
    return size;
  }

  function sendsCookies(owner, entry) {
    if (entry.cookies !== null) return true;
    const { jar } = owner;
    return jar !== null && jar.size > 0 && jar.matching(entry.template.parsed, Date.now()).length > 0;
  }

  function keep(owner, entry, response, status, series, error, check) {
    const { template, body } = entry;
    const kind = `${template.name}\n${check === "" ? status || -error : check}`;
    const count = apply(get, kinds, [kind]) ?? 0;
    if (count >= OF_A_KIND) return;
    const { bytes, head, timings } = fu.insideOf(response);
    apply(set, kinds, [kind, count + 1]);
    apply(add, kept, [response]);
    left--;
    const cookies = sendsCookies(owner, entry) ? 1 : 0;
    const from = control[CELL.OUT_BYTES];
    const nameLength = putText(template.name);
    const checkLength = putText(check);
    const bodySize = body === null ? -1 : putContent(body);
    const responseSize = bytes === null ? 0 : bytes.length - head;
    const taken = responseSize < MOST_BYTES ? responseSize : MOST_BYTES;
    if (bytes !== null) putBytes(apply(subarray, bytes, [0, head + taken]));
    const numbers = putText(
      `${template.id} ${series} ${owner.id} ${status} ${error} ${cookies} ${nameLength} ` +
        `${checkLength} ${bodySize} ${head} ${responseSize} ${number(timings.duration)} ` +
        `${number(timings.blocked)} ${number(timings.connecting)} ` +
        `${number(timings.tls_handshaking)} ${number(timings.sending)} ` +
        `${number(timings.waiting)} ${number(timings.receiving)}`,
    );
    operation(0, KIND.FAILURE, control[CELL.OUT_BYTES] - from, numbers, 0, 0, 0, 0);
  }

  // A request has ended with an error, or with a status of 400 and above.
  function requestFailed(owner, entry, response, status, series, error) {
    if (left > 0 && !fu.warming) keep(owner, entry, response, status, series, error, "");
  }

  // A check of a response has failed; a value that is none belongs to no request.
  function checkFailed(owner, value, check) {
    if (left === 0 || typeof value !== "object" || !(value instanceof fu.Response)) return;
    const status = number(value.status);
    if (status === 0 || status >= 400 || apply(has, kept, [value])) return; // that says it already
    const inside = fu.insideOf(value);
    if (inside === null) return; // something that was made from a response
    const { entry } = inside;
    const { template } = entry;
    const series = fu.seriesFor(owner.context, template.name, template.method, entry.tags);
    keep(owner, entry, value, status, series, 0, check);
  }

  fu.warming = false; // requests that only open connections are not measured either
  fu.requestFailed = requestFailed;
  fu.checkFailed = checkFailed;
})
