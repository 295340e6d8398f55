// Tests that are kept to be run again.

import { remove } from "../client.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { confirm } from "../parts/dialog.js";
import { pages } from "../parts/lists.js";
import { done, failed } from "../parts/notice.js";
import { empty, heading } from "../parts/panel.js";

export async function show({ signal, title }) {
  title("Templates");
  const list = await pages({
    path: "/templates",
    name: "templates",
    caption: "Templates",
    signal,
    none: empty("No templates yet", "A template keeps a script with its workers, duration and region, so that you can run it again and again.",
      h("a", { class: "button primary", href: "/templates/new" }, "Create a template")),
    columns: [
      { title: "Template", value: (one) => [h("a", { href: `/templates/${one.id}` }, one.name), one.description ? h("small", null, one.description) : null] },
      { title: "Workers", number: true, value: (one) => format.count(one.workers) },
      { title: "Duration", number: true, value: (one) => format.duration(one.duration_seconds) },
      { title: "Region", value: (one) => format.regions(one.region) },
      { title: "Changed", value: (one) => h("time", { datetime: one.updated_at, title: format.exactTime(one.updated_at) }, format.ago(one.updated_at)) },
      {
        title: "Actions",
        hidden: true,
        value: (one) => h("div", { class: "actions" },
          h("a", { class: "button", href: `/new?template=${one.id}`, "aria-label": `Use ${one.name}` }, "Use"),
          h("button", { type: "button", class: "quiet danger-text", "aria-label": `Delete ${one.name}`, onclick: () => drop(one) }, "Delete")),
      },
    ],
  });

  async function drop(one) {
    if (!(await confirm("Delete this template?", `${one.name} goes; tests that were made from it stay.`, "Delete"))) return;
    try {
      await remove(`/templates/${one.id}`);
      done("The template was deleted.");
      await list.load();
    } catch (error) {
      failed(error);
    }
  }

  return [heading("Templates", { actions: [h("a", { class: "button", href: "/templates/new" }, "New template")] }), list.element];
}
