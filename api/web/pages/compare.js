// Two to ten runs side by side, against one of them.

import { get } from "../client.js";
import { h, set } from "../dom.js";
import * as format from "../format.js";
import { chart } from "../parts/chart.js";
import { field, select } from "../parts/form.js";
import { failed } from "../parts/notice.js";
import { empty, heading, section } from "../parts/panel.js";
import { secondTicks } from "../parts/scale.js";
import { badge, mark } from "../parts/status.js";
import { Series } from "../run/series.js";

// [words, name, format, whether more is worse; null: neither]
const ROWS = [
  ["Requests/s", "rps", format.rate, false],
  ["p95 latency", "p95_latency_ms", format.milliseconds, true],
  ["Average latency", "avg_latency_ms", format.milliseconds, true],
  ["p50 latency", "med_latency_ms", format.milliseconds, true],
  ["p99 latency", "p99_latency_ms", format.milliseconds, true],
  ["Slowest", "max_latency_ms", format.milliseconds, true],
  ["Errors", "error_rate", format.percent, true],
  ["Requests", "total_requests", format.count, null],
];
const SAME = 0.03; // differences below have no colour

export async function show({ query, signal, title }) {
  title("Compare runs");
  const ids = (query.get("ids") ?? "").split(",").filter(Boolean);
  if (ids.length < 2) {
    return [
      heading("Compare runs", { back: { href: "/runs", words: "Runs" } }),
      empty("Choose the runs to compare", "Tick two to ten runs in the list, then press Compare.", h("a", { class: "button primary", href: "/runs" }, "To the list")),
    ];
  }
  const { tests } = await get("/analytics/compare", { test_ids: ids.join(",") }, signal);
  const names = tests.map((test, index) => `${index + 1}. ${test.name}`);
  const series = await Promise.all(tests.map(async (test) => {
    const found = new Series();
    found.add((await get(`/tests/${test.id}/series`, {}, signal)).series);
    return found;
  }));
  const oldest = tests.reduce((first, test, index) => (test.created_at < tests[first].created_at ? index : first), 0);
  const wanted = tests.findIndex((test) => test.id === query.get("baseline"));
  const baseline = select("baseline", names.map((words, index) => [String(index), words]), String(wanted >= 0 ? wanted : oldest));
  const place = h("div", { class: "tables" });
  baseline.addEventListener("change", () => draw().catch(failed));

  async function draw() {
    const base = Number(baseline.value);
    const verdicts = await Promise.all(tests.map((test, index) => {
      if (index === base || !test.metrics || !tests[base].metrics) return null;
      return get(`/tests/${test.id}/compare/${tests[base].id}`, {}, signal);
    }));
    set(place, matrix(base, verdicts));
  }

  function matrix(base, verdicts) {
    const head = h("tr", null, h("th", { scope: "col" }, h("span", { class: "unseen" }, "Metric")), tests.map((test, index) =>
      h("th", { scope: "col", class: "run" },
        h("span", { class: `swatch c${index + 1}`, "aria-hidden": "true" }),
        h("a", { href: `/runs/${test.id}` }, names[index]),
        h("small", null, format.time(test.created_at)))));
    const verdict = h("tr", null, h("th", { scope: "row" }, "Verdict"), verdicts.map((one, index) =>
      h("td", null,
        index === base ? mark("baseline", "waiting")
          : !one ? h("small", null, "no results")
            : one.regression ? [mark("regression", "bad", "✕"), h("ul", { class: "reasons" }, one.regression_reasons.map((words) => h("li", null, words)))]
              : mark("no regression", "good", "✓"))));
    const facts = [
      ["Status", (test) => badge(test.status)],
      ["Workers", (test) => format.count(test.workers)],
      ["Duration", (test) => format.duration(test.duration_seconds)],
      ["Region", (test) => format.regions(test.region)],
    ].map(([words, value]) => h("tr", null, h("th", { scope: "row" }, words), tests.map((test) => h("td", null, value(test)))));
    const numbers = ROWS.map(([words, name, write, worse]) => h("tr", null, h("th", { scope: "row" }, words), tests.map((test, index) =>
      h("td", null, write(test.metrics?.[name]), index === base ? null : difference(test.metrics?.[name], tests[base].metrics?.[name], worse, name)))));
    return h("div", { class: "table compact matrix", tabindex: "0", role: "group", "aria-label": "Comparison" },
      h("table", null, h("caption", { class: "unseen" }, "Comparison"), h("thead", null, head), h("tbody", null, verdict, numbers, facts)));
  }

  await draw();
  const time = { x: format.clock, xTicks: secondTicks };
  const end = Math.max(1, ...series.map((one) => one.last));
  const charts = [["p95_latency_ms", "p95 latency", format.milliseconds], ["rps", "Requests/s", format.compact], ["error_rate", "Errors", format.percent], ["active_workers", "Active workers", format.compact]].map(([name, words, value]) => {
    const drawn = chart({ title: words, value, ...time });
    drawn.update(series.map((one, index) => ({ name: names[index], points: one.line(name) })), [0, end]);
    return drawn.element;
  });
  return [
    heading("Compare runs", { back: { href: "/runs", words: "Runs" } }),
    h("div", { class: "filters labelled" }, field("Baseline", baseline)),
    place,
    section("Over time", h("div", { class: "charts inner" }, charts)),
  ];
}

function difference(value, base, worse, name) {
  if (value === undefined || base === undefined || worse === null) return null;
  if (name === "error_rate") {
    const points = (value - base) * 100;
    if (Math.abs(points) < 0.005) return h("small", { class: "delta" }, "±0");
    return h("small", { class: `delta ${points > 0 === worse ? "bad-text" : "good-text"}` }, `${points > 0 ? "+" : "−"}${format.decimal(Math.abs(points))} points`);
  }
  if (!base) return null;
  const share = value / base - 1;
  const kind = Math.abs(share) < SAME ? "" : share > 0 === worse ? "bad-text" : "good-text";
  return h("small", { class: `delta ${kind}` }, `${share >= 0 ? "+" : "−"}${format.percent(Math.abs(share))}`);
}
