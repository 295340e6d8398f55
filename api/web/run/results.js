// Tables of a run's summary, the same for one that is under way and for one that has ended.

import { h } from "../dom.js";
import * as format from "../format.js";
import { section } from "../parts/panel.js";
import { mark } from "../parts/status.js";
import { table } from "../parts/table.js";

export function thresholds(results) {
  if (!results?.length) return null;
  const crossed = results.filter((one) => !one.ok).length;
  return section(
    "Thresholds",
    h("p", { class: crossed ? "bad-text" : "good-text" }, crossed ? `${crossed} of ${format.plural(results.length, "threshold")} crossed` : "All hold"),
    h("ul", { class: "thresholds" }, results.map((one) =>
      h("li", { class: one.ok ? "ok" : "crossed" },
        one.ok ? mark("holds", "good", "✓") : mark("crossed", "bad", "✕"),
        h("code", null, one.metric),
        h("span", null, one.expression),
        h("b", { class: "number" }, one.value === null ? "no values" : format.precise(one.value))))),
  );
}

export function endpoints(summary) {
  if (!summary?.endpoints.length) return null;
  const rows = [...summary.endpoints].sort((a, b) => b.count - a.count);
  return section("By endpoint", table("By endpoint", [
    { title: "Endpoint", value: (one) => [one.method && !one.name.startsWith(`${one.method} `) ? h("span", { class: "method" }, one.method) : null, h("span", { class: "url" }, one.name)] },
    { title: "Requests", number: true, value: (one) => format.count(one.count) },
    { title: "Errors", number: true, value: (one) => h("span", { class: one.errors ? "bad-text" : null }, format.count(one.errors)) },
    { title: "Average", number: true, value: (one) => format.milliseconds(one.avg) },
    { title: "p50", number: true, value: (one) => format.milliseconds(one.p50) },
    { title: "p95", number: true, value: (one) => format.milliseconds(one.p95) },
    { title: "p99", number: true, value: (one) => format.milliseconds(one.p99) },
    { title: "Slowest", number: true, value: (one) => format.milliseconds(one.max) },
  ], rows));
}

export function statusCodes(summary) {
  const codes = Object.entries(summary?.status_codes ?? {});
  const errors = Object.entries(summary?.errors ?? {});
  if (!codes.length && !errors.length) return null;
  const all = summary.total_requests || 1;
  const line = (words, amount, kind) =>
    h("li", { class: kind },
      h("span", { class: "words" }, words),
      h("meter", { min: 0, max: all, value: amount, "aria-label": words }),
      h("span", { class: "number" }, `${format.count(amount)} · ${format.percent(amount / all)}`));
  return section(
    "By status code",
    h("ul", { class: "shares" },
      codes.map(([code, amount]) => line(code === "0" ? "no answer" : code, amount, code >= "400" || code === "0" ? "bad" : "good")),
      errors.map(([words, amount]) => line(words, amount, "bad"))),
  );
}

// Of a run of one region it would say what the run says.
export function regions(results) {
  if (!(results?.length > 1)) return null;
  return section("By region", table("By region", [
    { title: "Region", value: (one) => one.region },
    { title: "Requests", number: true, value: (one) => format.count(one.requests) },
    { title: "Rate", number: true, value: (one) => format.rate(one.rps) },
    { title: "Errors", number: true, value: (one) => h("span", { class: one.errors ? "bad-text" : null }, format.percent(one.error_rate)) },
    { title: "p50", number: true, value: (one) => format.milliseconds(one.p50) },
    { title: "p95", number: true, value: (one) => format.milliseconds(one.p95) },
    { title: "p99", number: true, value: (one) => format.milliseconds(one.p99) },
  ], results));
}

export function checks(summary) {
  if (!summary?.checks.length) return null;
  return section("Checks", table("Checks", [
    { title: "Check", value: (one) => [one.group ? h("small", { class: "before" }, one.group) : null, one.name] },
    { title: "Passed", number: true, value: (one) => format.count(one.passes) },
    { title: "Failed", number: true, value: (one) => h("span", { class: one.fails ? "bad-text" : null }, format.count(one.fails)) },
    { title: "Share", number: true, value: (one) => format.percent(one.passes / (one.passes + one.fails || 1)) },
  ], summary.checks));
}

export function workers(list, wide) {
  if (!list?.length) return null;
  const share = (value) => format.percent(value);
  return section("WorkerActors", h("p", { class: "hint" }, "The processes that run the virtual users, each on one core."), table("WorkerActors", [
    { title: "WorkerActor", value: (one) => `${one.index + 1}` },
    { title: "State", value: (one) => mark(one.state, one.state === "lost" || one.state === "unreachable" ? "bad" : "quiet") },
    { title: "Region", value: (one) => one.region },
    { title: "Node", value: (one) => h("code", { title: one.node ?? "" }, (one.node ?? format.NOTHING).slice(0, 8)) },
    { title: "Workers", number: true, value: (one) => format.count(one.active_workers) },
    { title: "Rate", number: true, value: (one) => format.rate(one.rps) },
    { title: "CPU", number: true, value: (one) => h("span", { class: one.cpu_share > 0.9 ? "warn-text" : null }, share(one.cpu_share)) },
    { title: "Lag", number: true, value: (one) => format.milliseconds(one.loop_lag_ms) },
  ], wide ? list : list.slice(0, 50)));
}

export function log(lines) {
  if (!lines?.length) return null;
  return section("Log", h("ol", { class: "log", tabindex: "0", "aria-label": "Lines that the script printed" }, lines.map((line) => {
    const level = /^(\w+): /.exec(line)?.[1] ?? "";
    return h("li", { class: level }, line);
  })));
}

// Sentences about the run, and problems of the script.
export function warnings(sentences, problems = []) {
  const all = [
    ...(sentences ?? []).map((one) => (typeof one === "string" ? one : one.message ?? JSON.stringify(one))),
    ...(problems ?? []).map((one) => [one.file, one.line ? `line ${one.line}` : "", one.message].filter(Boolean).join(": ")),
  ];
  if (!all.length) return null;
  return section("Warnings", h("ul", { class: "warnings" }, all.map((words) => h("li", null, words))));
}

export function phases(summary) {
  const rows = Object.entries(summary?.phases ?? {}).filter(([, of]) => of.count);
  if (!rows.length) return null;
  const number = (title, name) => ({ title, number: true, value: ([, of]) => format.milliseconds(of[name]) });
  return section("Phases of a request", table("Phases of a request", [
    { title: "Phase", value: ([name]) => name },
    number("Average", "avg"), number("p50", "med"), number("p95", "p95"), number("p99", "p99"), number("Slowest", "max"),
  ], rows, { compact: true }));
}

export function metrics(summary) {
  const rows = Object.entries(summary?.metrics ?? {}).filter(([name]) => !["vus", "pool_hits", "pool_misses"].includes(name));
  if (!rows.length) return null;
  const kinds = summary.metric_kinds ?? {};
  const words = ([name, value]) => {
    if (typeof value === "object") return `average ${format.decimal(value.avg)}, p95 ${format.decimal(value.p95)}, ${format.plural(value.count, "value")}`;
    return kinds[name] === "rate" ? format.percent(value) : format.decimal(value);
  };
  return section("Metrics", table("Metrics", [
    { title: "Metric", value: ([name]) => h("code", null, name) },
    { title: "Kind", value: ([name]) => kinds[name] ?? format.NOTHING },
    { title: "Value", value: words },
  ], rows));
}
