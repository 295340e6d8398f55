// Who is signed in, what the plan allows, and where tests can run.

import { get, patch, post } from "../client.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { field, form, input } from "../parts/form.js";
import { done } from "../parts/notice.js";
import { heading, section } from "../parts/panel.js";
import { mark } from "../parts/status.js";
import { table } from "../parts/table.js";
import * as session from "../session.js";

export async function show({ signal, router, title }) {
  title("Account");
  const [me, quota, { regions }] = await Promise.all([get("/me", {}, signal), get("/quota", {}, signal).catch(() => null), get("/regions", {}, signal)]);

  const profile = form(
    {
      action: "Save",
      submit: async (data) => {
        await patch("/me", { name: data.get("name"), email: data.get("email") });
        done("Your profile is saved.");
      },
    },
    field("Name", input("name", { required: true, maxlength: 200, value: me.name, autocomplete: "name" })),
    field("E-mail", input("email", { type: "email", required: true, value: me.email, autocomplete: "email" })),
  );
  const password = form(
    {
      action: "Change password",
      submit: async (data, element) => {
        const { token } = await post("/auth/change-password", { current_password: data.get("current"), new_password: data.get("new") });
        if (!session.isKey()) session.keep(token);
        element.reset();
        done("Your password is changed. Everybody else who was signed in with the old one is signed out.");
      },
    },
    field("Present password", input("current", { type: "password", required: true, autocomplete: "current-password" })),
    field("New password", input("new", { type: "password", required: true, minlength: 8, autocomplete: "new-password" }), "At least 8 characters"),
  );

  return [
    heading("Account", { lead: [h("span", null, `${me.name} · ${me.organization.name}`), mark(me.role, "quiet")] }),
    quota && section(
      "Plan and usage",
      h("p", null, "Plan ", h("b", null, quota.plan), h("span", { class: "hint" }, ` · this period ends ${format.ago(quota.period_end)}, on ${format.time(quota.period_end)}`)),
      h("ul", { class: "shares" },
        used("Minutes", quota.minutes_used, quota.minutes_limit, quota.minutes_reserved ? `${format.decimal(quota.minutes_reserved)} reserved for tests that have not ended` : null),
        used("Templates", quota.templates_used, quota.templates_limit),
        used("Schedules", quota.schedules_used, quota.schedules_limit)),
      h("dl", { class: "facts-list" },
        h("dt", null, "Workers of one test"), h("dd", null, `up to ${format.count(quota.workers_limit)}`),
        h("dt", null, "Duration of one test"), h("dd", null, `up to ${format.duration(quota.duration_seconds_limit)}`),
        h("dt", null, "One script"), h("dd", null, `up to ${format.bytes(quota.script_bytes_limit)}`)),
    ),
    section("Regions", table("Regions", regionColumns(regions), regions)),
    h("div", { class: "pairs" }, section("Profile", profile), session.isKey() ? null : section("Password", password)),
  ];
}

function used(words, amount, limit, note) {
  return h("li", null,
    h("span", { class: "words" }, words),
    h("span", { class: "number" }, limit === null ? `${format.decimal(amount)}, no limit` : `${format.decimal(amount)} of ${format.count(limit)}`),
    limit === null ? null : h("meter", { min: 0, max: Math.max(limit, 1), value: amount, "aria-label": words }),
    note ? h("small", null, note) : null);
}

// Live capacity is shown where the API tells of it.
function regionColumns(regions) {
  const columns = [
    { title: "Region", value: (one) => [one.name, one.default ? [" ", mark("default", "waiting")] : null] },
    { title: "Code", value: (one) => h("code", null, one.code) },
    { title: "Continent", value: (one) => one.continent ?? format.NOTHING },
  ];
  if (regions.some((one) => one.nodes !== undefined)) {
    columns.push({ title: "Machines", number: true, value: (one) => (one.nodes === null ? "unknown" : format.count(one.nodes)) });
  }
  if (regions.some((one) => one.cpus_free !== undefined)) {
    columns.push({ title: "Free cores", number: true, value: (one) => (one.cpus_free === null ? "unknown" : `${format.decimal(one.cpus_free)} of ${format.decimal(one.cpus ?? one.cpus_total)}`) });
  }
  return columns;
}
