// The four charts of a run.

import { h } from "../dom.js";
import * as format from "../format.js";
import { chart } from "../parts/chart.js";
import { secondTicks } from "../parts/scale.js";

export function runCharts() {
  const time = { x: format.clock, xTicks: secondTicks };
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
  return {
    element: h("div", { class: "charts" }, charts.map(([one]) => one.element)),
    update(series, seconds) {
      const to = Math.max(seconds, series.last, 1);
      for (const [one, lines] of charts) one.update(lines(series), [0, to]);
    },
  };
}
