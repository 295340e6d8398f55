// Keys for programs.

import { get, post, remove } from "../client.js";
import { h, set } from "../dom.js";
import * as format from "../format.js";
import { confirm, open } from "../parts/dialog.js";
import { field, form, input, select } from "../parts/form.js";
import { done, failed } from "../parts/notice.js";
import { empty, heading } from "../parts/panel.js";
import { showOnce } from "../parts/secret.js";
import { mark } from "../parts/status.js";
import { table } from "../parts/table.js";

const SCOPES = [
  ["test:create", "test:create: create, start and stop tests"],
  ["test:read", "test:read: read tests and the quota"],
  ["read", "read: read everything"],
  ["full", "full: everything"],
];

export async function show({ signal, title }) {
  title("API keys");
  const list = h("div");

  async function load() {
    const { keys } = await get("/keys", {}, signal);
    set(list, keys.length ? table("API keys", [
      { title: "Key", value: (one) => [one.name, h("small", null, h("code", null, `${one.prefix}…`))] },
      { title: "Scopes", value: (one) => one.scopes.map((scope) => [mark(scope, "quiet"), " "]) },
      { title: "Owner", value: (one) => one.user.name },
      { title: "Last used", value: (one) => (one.last_used_at ? format.ago(one.last_used_at) : "never") },
      { title: "Expires", value: (one) => (one.expires_at ? format.time(one.expires_at) : "never") },
      { title: "Created", value: (one) => format.ago(one.created_at) },
      { title: "Actions", hidden: true, value: (one) => h("div", { class: "actions" }, h("button", { type: "button", class: "quiet danger-text", "aria-label": `Delete the key ${one.name}`, onclick: () => drop(one) }, "Delete")) },
    ], keys) : empty("No API keys yet", "A key lets a program, such as a CI job, do what its scopes allow.", h("button", { type: "button", class: "primary", onclick: create }, "Create a key")));
  }

  async function drop(one) {
    if (!(await confirm("Delete this key?", `Programs that use ${one.name} are refused from now on.`, "Delete"))) return;
    try {
      await remove(`/keys/${one.id}`);
      done("The key was deleted.");
      await load();
    } catch (error) {
      failed(error);
    }
  }

  function create() {
    const shown = open("New API key", form(
      {
        action: "Create key",
        cancel: () => shown.close(),
        submit: async (data) => {
          const days = Number(data.get("days"));
          const made = await post("/keys", { name: data.get("name"), scopes: [data.get("scope")], expires_in_days: days || undefined });
          shown.close();
          await load();
          await showOnce("Your new API key", "Keep it now: nobody can show it again.", made.key);
        },
      },
      field("Name", input("name", { required: true, maxlength: 200, placeholder: "CI" })),
      field("Scope", select("scope", SCOPES, "test:create"), "Each scope includes those that read less."),
      field("Expires", select("days", [["", "never"], ["30", "in 30 days"], ["90", "in 90 days"], ["365", "in a year"]], "90")),
    ));
  }

  await load();
  return [heading("API keys", { actions: [h("button", { type: "button", onclick: create }, "New key")] }), list];
}
