// Tests that run at certain times.

import { post } from "../client.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import * as cron from "../parts/cron.js";
import { pages } from "../parts/lists.js";
import { done, failed } from "../parts/notice.js";
import { empty, heading } from "../parts/panel.js";
import { mark } from "../parts/status.js";

export async function show({ signal, router, title }) {
  title("Schedules");
  const list = await pages({
    path: "/schedules",
    name: "schedules",
    caption: "Schedules",
    signal,
    none: empty("No schedules yet", "A schedule creates and starts a test by itself: every night, every Monday, every quarter of an hour.",
      h("a", { class: "button primary", href: "/schedules/new" }, "Create a schedule")),
    columns: [
      { title: "Schedule", value: (one) => [h("a", { href: `/schedules/${one.id}` }, one.name), h("small", null, [format.plural(one.workers, "worker"), format.duration(one.duration_seconds), format.regions(one.region)].join(" · "))] },
      { title: "Runs", value: (one) => [cron.words(one.cron_expression) ?? h("code", null, one.cron_expression), h("small", null, ` ${one.timezone}`)] },
      { title: "State", value: (one) => state(one) },
      { title: "Next", value: (one) => (one.next_runs.length ? h("time", { datetime: one.next_runs[0], title: format.exactTime(one.next_runs[0]) }, format.ago(one.next_runs[0])) : format.NOTHING) },
      { title: "Last run", value: (one) => (one.last_test_id ? h("a", { href: `/runs/${one.last_test_id}` }, format.ago(one.last_run_at)) : "never") },
      {
        title: "Actions",
        hidden: true,
        value: (one) => h("div", { class: "actions" },
          h("button", { type: "button", "aria-label": `Run ${one.name} now`, onclick: () => trigger(one) }, "Run now"),
          h("button", { type: "button", "aria-label": `${one.active ? "Pause" : "Resume"} ${one.name}`, onclick: () => toggle(one) }, one.active ? "Pause" : "Resume")),
      },
    ],
  });

  async function trigger(one) {
    try {
      const { test_id: id } = await post(`/schedules/${one.id}/trigger`);
      router.go(`/runs/${id}`);
    } catch (error) {
      failed(error);
    }
  }

  async function toggle(one) {
    try {
      await post(`/schedules/${one.id}/${one.active ? "pause" : "resume"}`);
      done(one.active ? "The schedule is paused." : "The schedule goes on.");
      await list.load();
    } catch (error) {
      failed(error);
    }
  }

  return [heading("Schedules", { actions: [h("a", { class: "button", href: "/schedules/new" }, "New schedule")] }), list.element];
}

export function state(one) {
  if (!one.active) return mark("paused", "quiet", "❚❚");
  if (one.refusal) return mark("refused", "bad", "✕");
  return mark("active", "good", "✓");
}
