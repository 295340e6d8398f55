// One webhook with its deliveries.

import { get, patch, post, remove } from "../client.js";
import { h, repeated } from "../dom.js";
import * as format from "../format.js";
import { confirm, open } from "../parts/dialog.js";
import { form } from "../parts/form.js";
import { pages } from "../parts/lists.js";
import { done, failed } from "../parts/notice.js";
import { heading, section } from "../parts/panel.js";
import { showOnce } from "../parts/secret.js";
import { mark } from "../parts/status.js";
import { eventFields, urlField } from "../parts/webhook-fields.js";
import { state } from "./webhooks.js";

const LOOK_MILLISECONDS = 5000;
const STATES = { delivered: ["good", "✓"], pending: ["waiting", "○"], failed: ["bad", "✕"] };

export async function show({ parameters, signal, router, title }) {
  const kept = await find(parameters.id, signal);
  title(kept.url);
  const path = `/webhooks/${kept.id}`;
  const deliveries = await pages({
    path: `${path}/deliveries`,
    name: "deliveries",
    caption: "Deliveries",
    signal,
    none: h("p", { class: "empty-line" }, "Nothing has been sent yet. Send a test to see how it arrives."),
    columns: [
      { title: "Event", value: (one) => h("button", { type: "button", class: "link", onclick: () => details(one) }, one.event) },
      { title: "State", value: (one) => mark(one.status, ...(STATES[one.status] ?? ["quiet"])) },
      { title: "Answer", value: (one) => one.response_status ?? one.error ?? format.NOTHING },
      { title: "Took", number: true, value: (one) => format.milliseconds(one.duration_ms) },
      { title: "Attempts", number: true, value: (one) => format.count(one.attempts) },
      { title: "Next try", value: (one) => (one.next_attempt_at ? format.ago(one.next_attempt_at) : format.NOTHING) },
      { title: "Created", value: (one) => h("time", { datetime: one.created_at, title: format.exactTime(one.created_at) }, format.ago(one.created_at)) },
    ],
  });
  repeated(LOOK_MILLISECONDS, signal, () => {
    if (deliveries.element.contains(document.activeElement)) return;
    return deliveries.load().catch(() => {});
  });

  const attempt = (work) => async () => {
    try {
      await work();
    } catch (error) {
      failed(error);
    }
  };
  const change = () => {
    const shown = open("Change the webhook", form(
      {
        action: "Save",
        cancel: () => shown.close(),
        submit: async (data) => {
          await patch(path, { url: data.get("url"), events: data.getAll("events") });
          shown.close();
          done("The webhook is saved.");
          router.follow();
        },
      },
      urlField(kept.url),
      eventFields(kept.events),
    ));
  };
  const buttons = [
    h("button", { type: "button", class: "primary", onclick: attempt(async () => {
      await post(`${path}/test`);
      done("A test delivery is on its way.");
      await deliveries.load();
    }) }, "Send a test"),
    h("button", { type: "button", onclick: change }, "Change"),
    h("button", { type: "button", onclick: attempt(async () => {
      await patch(path, { active: !kept.active });
      done(kept.active ? "The webhook is switched off." : "The webhook is switched on.");
      router.follow();
    }) }, kept.active ? "Switch off" : "Switch on"),
    h("button", { type: "button", onclick: attempt(async () => {
      if (!(await confirm("Make a new secret?", "Give your receiver the new one. For a while, deliveries are signed with both.", "Make a new secret"))) return;
      const { secret, previous_secret_until: until } = await post(`${path}/rotate-secret`);
      const both = until ? ` The one before signs as well until ${format.time(until)}.` : "";
      await showOnce("The webhook's new secret", `Keep it where your receiver finds it: nobody can show it again.${both}`, secret);
    }) }, "New secret"),
    h("button", { type: "button", class: "quiet danger-text", onclick: attempt(async () => {
      if (!(await confirm("Delete this webhook?", "What has not been sent is not sent any more, and its deliveries go.", "Delete"))) return;
      await remove(path);
      done("The webhook was deleted.");
      router.go("/webhooks");
    }) }, "Delete"),
  ];
  return [
    heading(kept.url, { back: { href: "/webhooks", words: "Webhooks" }, lead: [state(kept), h("span", null, kept.events.join(", "))], actions: buttons }),
    kept.disabled_reason ? h("p", { class: "reason bad" }, kept.disabled_reason) : null,
    kept.failing_since && kept.active ? h("p", { class: "reason" }, `Nothing has arrived since ${format.exactTime(kept.failing_since)}.`) : null,
    section("Deliveries", deliveries.element),
  ];
}

// The API shows one webhook only as part of the list.
async function find(id, signal) {
  let cursor = null;
  do {
    const answer = await get("/webhooks", { limit: 100, cursor }, signal);
    const found = answer.webhooks.find((one) => one.id === id);
    if (found) return found;
    cursor = answer.next_cursor;
  } while (cursor);
  throw Object.assign(new Error("The webhook is not there."), { status: 404 });
}

function details(one) {
  const fact = (words, value) => (value === null || value === undefined ? null : [h("dt", null, words), h("dd", null, value)]);
  open(`Delivery of ${one.event}`, h(
    "div",
    { class: "body" },
    h("dl", { class: "facts-list" },
      fact("State", one.status),
      fact("Created", format.exactTime(one.created_at)),
      fact("Attempts", one.attempts),
      fact("Next try", one.next_attempt_at ? format.exactTime(one.next_attempt_at) : null),
      fact("Answer", one.response_status),
      fact("Error", one.error),
      fact("Id", h("code", null, one.id))),
    h("h3", null, "Sent"),
    h("pre", { class: "block", tabindex: "0", "aria-label": "What is sent" }, JSON.stringify(one.payload, null, 2)),
    one.response_body ? [h("h3", null, "Answered"), h("pre", { class: "block", tabindex: "0", "aria-label": "What was answered" }, one.response_body)] : null,
  ), { wide: true });
}
