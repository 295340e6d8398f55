// The four charts of a run, and three that show its regions side by side.

import { h } from "../dom.js";
import * as format from "../format.js";
import { chart } from "../parts/chart.js";
import { section } from "../parts/panel.js";
import { secondTicks } from "../parts/scale.js";

const time = { x: format.clock, xTicks: secondTicks };

export function runCharts() {
  const charts = [
    [chart({ title: "Requests/s", ...time }), (series) => [{ name: "", points: series.line("rps"), area: true }]],
    [
      chart({ title: "Latency", value: format.milliseconds, ...time }),
      (series) => [
        { name: "p50", points: series.line("p50_latency_ms") },
        { name: "p95", points: series.line("p95_latency_ms") },
        { name: "p99", points: series.line("p99_latency_ms") },
      ],
    ],
    [
      chart({ title: "Errors", value: format.percent, kind: "errors", hint: "share of requests", ...time }),
      (series) => [{ name: "", points: series.line("error_rate"), area: true }],
    ],
    [chart({ title: "Active workers", kind: "workers", ...time }), (series) => [{ name: "", points: series.line("active_workers"), area: true }]],
  ];
  return together(charts);
}

// Nothing for a run of one region: that is the run itself.
export function regionCharts() {
  const by = (name) => (series) => [...series.regions].sort().map((region) => ({ name: region, points: series.lineOf(region, name) }));
  const { element, update } = together([
    [chart({ title: "Requests/s by region", ...time }), by("rps")],
    [chart({ title: "p95 latency by region", value: format.milliseconds, ...time }), by("p95_latency_ms")],
    [chart({ title: "Errors by region", value: format.percent, hint: "share of requests", ...time }), by("error_rate")],
  ]);
  element.classList.add("inner");
  const whole = section("Regions over time", element);
  whole.hidden = true;
  return {
    element: whole,
    update(series, seconds) {
      whole.hidden = series.regions.size < 2;
      if (!whole.hidden) update(series, seconds);
    },
  };
}

// charts: [[chart, (series) => lines]]
function together(charts) {
  return {
    element: h("div", { class: "charts" }, charts.map(([one]) => one.element)),
    update(series, seconds) {
      const to = Math.max(seconds, series.last, 1);
      for (const [one, lines] of charts) one.update(lines(series), [0, to]);
    },
  };
}
