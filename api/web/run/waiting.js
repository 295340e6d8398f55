// What a test waits for before it runs.

import { h } from "../dom.js";
import * as format from "../format.js";

const WORDS = {
  provisioning: "Machines are being found for this test.",
  ready: "All workers are ready. Start the test when you are.",
  pending: "The test is about to start.",
};

export function waiting(test, queue) {
  const words = WORDS[test.status];
  if (!words) return null;
  const facts = [];
  if (queue?.waiting && test.status === "provisioning") {
    if (queue.position > 1) facts.push(`${queue.position - 1} before it in its regions`);
    if (queue.waiting_for) facts.push(`waits for ${queue.waiting_for}`);
    if (queue.waiting_since) facts.push(`since ${format.ago(queue.waiting_since)}`);
    if (queue.worker_actors_there !== null) facts.push(`${queue.worker_actors_there} of ${queue.worker_actors_wanted} WorkerActors have a machine`);
    if (queue.region_full) facts.push("no more machines may start there: other tests have them all");
  }
  return h(
    "div",
    { class: "panel waiting-panel" },
    test.status === "ready" ? null : h("span", { class: "spinner", "aria-hidden": "true" }),
    h("div", null, h("p", null, h("b", null, words)), facts.length ? h("ul", { class: "facts" }, facts.map((one) => h("li", null, one))) : null),
  );
}
