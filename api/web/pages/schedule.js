// One schedule: when it runs, what became of that, and how to change it.

import { get, patch, post, remove } from "../client.js";
import { h, set } from "../dom.js";
import * as format from "../format.js";
import * as cron from "../parts/cron.js";
import { confirm } from "../parts/dialog.js";
import { field, form, input, select } from "../parts/form.js";
import { done, failed } from "../parts/notice.js";
import { heading, section } from "../parts/panel.js";
import { planFields } from "../parts/plan-fields.js";
import { mark } from "../parts/status.js";
import { table } from "../parts/table.js";
import { state } from "./schedules.js";

const FIRED = { fired: ["good", "✓"], pending: ["waiting", "○"], refused: ["bad", "✕"], missed: ["warn", "!"] };

export async function show({ parameters, signal, router, title }) {
  const isNew = parameters.id === "new";
  const [{ regions }, kept] = await Promise.all([
    get("/regions", {}, signal),
    isNew ? null : get(`/schedules/${encodeURIComponent(parameters.id)}`, {}, signal),
  ]);
  const words = isNew ? "New schedule" : kept.name;
  title(words);

  const expression = input("cron_expression", { required: true, value: kept?.cron_expression ?? "0 0 2 * * * *", spellcheck: "false" });
  const common = select("common", [...cron.COMMON, ["", "My own times"]], "", {});
  const said = h("p", { class: "hint", role: "status" });
  const zones = Intl.supportedValuesOf?.("timeZone") ?? [];
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const zone = select("timezone", [...new Set(["UTC", own, ...zones, kept?.timezone].filter(Boolean))].map((one) => [one, one]), kept?.timezone ?? own);
  const tell = () => {
    common.value = cron.COMMON.some(([one]) => one === expression.value.trim()) ? expression.value.trim() : "";
    const found = cron.words(expression.value);
    set(said, found ? `${found}, ${zone.value} time` : "Seconds, minutes, hours, day of the month, month, day of the week, year");
  };
  common.addEventListener("change", () => {
    if (common.value) expression.value = common.value;
    else expression.focus();
    tell();
  });
  expression.addEventListener("input", tell);
  zone.addEventListener("change", tell);
  tell();

  const plan = planFields(kept, regions, signal);
  const element = form(
    {
      action: isNew ? "Create schedule" : "Save",
      attributes: { class: "two-columns" },
      submit: async () => {
        const body = { ...plan.values(), cron_expression: expression.value.trim(), timezone: zone.value };
        const saved = isNew ? await post("/schedules", body) : await patch(`/schedules/${kept.id}`, body);
        done("The schedule is saved.");
        if (isNew) router.go(`/schedules/${saved.id}`);
        else router.follow();
      },
    },
    h("div", { class: "main-column" }, plan.script),
    h("div", { class: "side-column" },
      section("Times", field("How often", common), field("Cron expression", expression), said, field("Time zone", zone)),
      plan.test),
  );
  element.querySelector(".side-column").append(...element.querySelectorAll(":scope > .problem, :scope > .actions"));
  if (isNew) return [heading(words, { back: { href: "/schedules", words: "Schedules" } }), element];

  const act = (path, after) => async () => {
    try {
      after(await post(`/schedules/${kept.id}/${path}`));
    } catch (error) {
      failed(error);
    }
  };
  const drop = async () => {
    if (!(await confirm("Delete this schedule?", `${kept.name} runs no more; its tests stay.`, "Delete"))) return;
    try {
      await remove(`/schedules/${kept.id}`);
      done("The schedule was deleted.");
      router.go("/schedules");
    } catch (error) {
      failed(error);
    }
  };
  return [
    heading(kept.name, {
      back: { href: "/schedules", words: "Schedules" },
      lead: [state(kept), h("span", null, `${cron.words(kept.cron_expression) ?? kept.cron_expression}, ${kept.timezone} time`)],
      actions: [
        h("button", { type: "button", class: "primary", onclick: act("trigger", ({ test_id: id }) => router.go(`/runs/${id}`)) }, "Run now"),
        h("button", { type: "button", onclick: act(kept.active ? "pause" : "resume", () => router.follow()) }, kept.active ? "Pause" : "Resume"),
        h("button", { type: "button", class: "quiet danger-text", onclick: drop }, "Delete"),
      ],
    }),
    kept.refusal ? h("p", { class: "reason bad" }, `Its last firing was refused (${kept.refusal.code}): ${kept.refusal.message}`) : null,
    h("div", { class: "pairs" },
      section("Next times", kept.next_runs.length
        ? h("ol", { class: "moments" }, kept.next_runs.map((one) => h("li", null, h("time", { datetime: one }, zoned(one, kept.timezone)), h("small", null, format.ago(one)))))
        : h("p", { class: "hint" }, kept.active ? "No time is left." : "None while it is paused.")),
      section("What became of them", history(kept))),
    element,
  ];
}

function history(kept) {
  if (kept.firings?.length) {
    return table("Firings", [
      { title: "Time", value: (one) => h("time", { datetime: one.fire_time }, zoned(one.fire_time, kept.timezone)) },
      { title: "Became", value: (one) => mark(one.status, ...(FIRED[one.status] ?? ["quiet"])) },
      { title: "Test", value: (one) => (one.test_id ? h("a", { href: `/runs/${one.test_id}` }, "Open the run") : one.message ?? format.NOTHING) },
    ], kept.firings);
  }
  if (!kept.last_run_at) return h("p", { class: "hint" }, "It has not run yet.");
  return h("p", null, "Last run ", kept.last_test_id ? h("a", { href: `/runs/${kept.last_test_id}` }, format.time(kept.last_run_at)) : format.time(kept.last_run_at));
}

function zoned(moment, timeZone) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", timeZone }).format(new Date(moment));
}
