// Requests that failed: a sample that the run has kept, with what was sent and what came back.

import { h, set } from "../dom.js";
import * as format from "../format.js";
import { open } from "../parts/dialog.js";
import { section } from "../parts/panel.js";
import { table } from "../parts/table.js";

const FIRST = 20;

export function failures(list) {
  if (!list?.length) return null;
  const place = h("div");
  const draw = (count) => set(
    place,
    table("Failed requests", COLUMNS, list.slice(0, count)),
    count < list.length ? h("p", { class: "pager" }, h("button", { type: "button", onclick: () => draw(list.length) }, `Show all ${list.length}`)) : null,
  );
  draw(FIRST);
  return section("Failed requests", h("p", { class: "hint" }, "The first few of each endpoint and reason, with secrets masked."), place);
}

const COLUMNS = [
  {
    title: "Request",
    value: (one) => [
      h("span", { class: "method" }, one.request.method),
      h("button", { type: "button", class: "link", onclick: () => details(one) }, one.request.url),
    ],
  },
  { title: "Why", value: (one) => h("span", { class: "bad-text" }, reason(one)) },
  { title: "Duration", number: true, value: (one) => format.milliseconds(one.timings_ms.duration) },
  { title: "At", value: (one) => h("time", { datetime: one.time }, format.exactTime(one.time)) },
];

function reason(one) {
  if (one.check !== null) return `check: ${one.check}`;
  return one.response ? `status ${one.response.status}` : one.error ?? "no response";
}

function details(one) {
  const fact = (words, value) => (value ? [h("dt", null, words), h("dd", null, value)] : null);
  const phases = Object.entries(one.timings_ms).filter(([name, value]) => value && name !== "duration");
  open("A failed request", h(
    "div",
    { class: "body" },
    h("dl", { class: "facts-list" },
      fact("Why", reason(one)),
      fact("At", format.exactTime(one.time)),
      fact("Endpoint", one.name),
      fact("Scenario", one.scenario),
      fact("Group", one.group),
      fact("Worker", one.worker || "none: setup() or teardown()"),
      fact("Duration", format.milliseconds(one.timings_ms.duration)),
      fact("Phases", phases.map(([name, value]) => `${name.replaceAll("_", " ")} ${format.milliseconds(value)}`).join(", "))),
    message("Sent", `${one.request.method} ${one.request.url}`, one.request),
    one.response ? message("Answered", `status ${one.response.status}`, one.response) : null,
  ), { wide: true });
}

// Head and body of a request or a response, as text.
function message(title, first, { headers, body }) {
  const lines = [first, ...headers.map(({ name, value }) => `${name}: ${value}`)];
  if (body?.text) lines.push("", body.text);
  return [
    h("h3", null, title),
    h("pre", { class: "block", tabindex: "0", "aria-label": title }, lines.join("\n")),
    body && !body.whole ? h("p", { class: "hint" }, `Of the body, ${format.bytes(body.size_bytes)} long, only the start was kept.`) : null,
  ];
}
