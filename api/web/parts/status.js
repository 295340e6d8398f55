// A test's status as a badge: colour, sign and word, so that none is needed alone.

import { h } from "../dom.js";

const LOOK = {
  provisioning: ["waiting", "○"],
  ready: ["waiting", "◔"],
  pending: ["waiting", "◑"],
  running: ["live", "●"],
  paused: ["warn", "❚❚"],
  completed: ["good", "✓"],
  failed: ["bad", "✕"],
  stopped: ["warn", "■"],
  cancelled: ["quiet", "–"],
};

export const ACTIVE = ["provisioning", "ready", "pending", "running"];
export const ENDED = ["completed", "failed", "stopped", "cancelled"];

export function badge(status, paused = false) {
  const word = paused ? "paused" : status;
  const [kind, sign] = LOOK[word] ?? ["quiet", "?"];
  return h("span", { class: `badge ${kind}` }, h("span", { "aria-hidden": "true" }, sign), ` ${word}`);
}

// Any other word in the same form.
export function mark(word, kind, sign) {
  return h("span", { class: `badge ${kind}` }, sign ? h("span", { "aria-hidden": "true" }, `${sign} `) : null, word);
}
