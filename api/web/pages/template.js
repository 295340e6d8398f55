// One template: a new one, or one that is changed.

import { get, patch, post } from "../client.js";
import { h } from "../dom.js";
import { field, form, textarea } from "../parts/form.js";
import { done } from "../parts/notice.js";
import { heading } from "../parts/panel.js";
import { planFields } from "../parts/plan-fields.js";

export async function show({ parameters, signal, router, title }) {
  const isNew = parameters.id === "new";
  const [{ regions }, kept] = await Promise.all([
    get("/regions", {}, signal),
    isNew ? null : get(`/templates/${encodeURIComponent(parameters.id)}`, {}, signal),
  ]);
  const words = isNew ? "New template" : kept.name;
  title(words);
  const description = textarea("description", { rows: 2, maxlength: 2000 }, kept?.description ?? "");
  const plan = planFields(kept, regions, signal, field("Description", description));
  const element = form(
    {
      action: isNew ? "Create template" : "Save",
      attributes: { class: "two-columns" },
      submit: async () => {
        const body = { ...plan.values(), description: description.value };
        if (isNew) await post("/templates", body);
        else await patch(`/templates/${kept.id}`, body);
        done("The template is saved.");
        router.go("/templates");
      },
    },
    h("div", { class: "main-column" }, plan.script),
    h("div", { class: "side-column" }, plan.test),
  );
  element.querySelector(".side-column").append(...element.querySelectorAll(":scope > .problem, :scope > .actions"));
  return [
    heading(words, {
      back: { href: "/templates", words: "Templates" },
      actions: isNew ? [] : [h("a", { class: "button primary", href: `/new?template=${kept.id}` }, "Use it for a test")],
    }),
    element,
  ];
}
