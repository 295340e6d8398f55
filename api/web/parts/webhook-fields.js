// The fields of a webhook.

import { h } from "../dom.js";
import { checkbox, field, input } from "./form.js";

const EVENTS = [
  ["test.ready", "Workers are there, the test can start"],
  ["test.started", "The test runs"],
  ["test.completed", "The test ended by itself"],
  ["test.failed", "The test failed"],
  ["test.threshold_breached", "A threshold was crossed"],
  ["test.scheduled", "A schedule created a test"],
];

export function urlField(url = "") {
  return field("Address", input("url", { type: "url", required: true, value: url, placeholder: "https://your-server.com/webhook" }), "HTTPS, and not in a private network");
}

export function eventFields(chosen) {
  return h("fieldset", null, h("legend", null, "Events"), EVENTS.map(([name, hint]) =>
    checkbox("events", name, { value: name, checked: chosen.includes(name), hint })));
}
