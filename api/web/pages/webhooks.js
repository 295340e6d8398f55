// Whom to tell of the tests.

import { post } from "../client.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { open } from "../parts/dialog.js";
import { form } from "../parts/form.js";
import { pages } from "../parts/lists.js";
import { empty, heading } from "../parts/panel.js";
import { showOnce } from "../parts/secret.js";
import { mark } from "../parts/status.js";
import { eventFields, urlField } from "../parts/webhook-fields.js";

export async function show({ signal, router, title }) {
  title("Webhooks");
  const create = () => {
    const events = eventFields(["test.completed", "test.failed"]);
    const url = urlField();
    const shown = open("New webhook", form(
      {
        action: "Create webhook",
        cancel: () => shown.close(),
        submit: async (data) => {
          const made = await post("/webhooks", { url: data.get("url"), events: data.getAll("events") });
          shown.close();
          await showOnce("The webhook's secret", "It signs every delivery. Keep it where your receiver finds it: nobody can show it again.", made.secret);
          router.go(`/webhooks/${made.id}`);
        },
      },
      url,
      events,
    ));
  };
  const button = (words, kind) => h("button", { type: "button", class: kind, onclick: create }, words);
  const list = await pages({
    path: "/webhooks",
    name: "webhooks",
    caption: "Webhooks",
    signal,
    none: empty("No webhooks yet", "A webhook calls an address of yours when a test is ready, starts, ends, or crosses a threshold.", button("Create a webhook", "primary")),
    columns: [
      { title: "Address", value: (one) => h("a", { href: `/webhooks/${one.id}` }, one.url) },
      { title: "Events", value: (one) => h("small", null, one.events.join(", ")) },
      { title: "State", value: (one) => state(one) },
      { title: "Created", value: (one) => format.ago(one.created_at) },
    ],
  });
  return [heading("Webhooks", { actions: [button("New webhook")] }), list.element];
}

export function state(one) {
  if (!one.active) return mark("off", "quiet", "–");
  return one.failing_since ? mark("failing", "warn", "!") : mark("on", "good", "✓");
}
