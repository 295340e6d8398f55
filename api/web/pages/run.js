// One run: while it waits, while it is under way, and when it has ended.

import { get } from "../client.js";
import { h, repeated, set } from "../dom.js";
import * as format from "../format.js";
import { follow } from "../live.js";
import { announce, failed } from "../parts/notice.js";
import { heading, tiles } from "../parts/panel.js";
import { ACTIVE, ENDED, badge } from "../parts/status.js";
import { actions } from "../run/actions.js";
import { Board } from "../run/board.js";
import { regionCharts, runCharts } from "../run/charts.js";
import { distribution } from "../run/distribution.js";
import { downloads } from "../run/downloads.js";
import { failures } from "../run/failures.js";
import * as results from "../run/results.js";
import { Series } from "../run/series.js";
import { waiting } from "../run/waiting.js";

const LOOK_MILLISECONDS = 2000;
const LATE_SECONDS = 20;

export async function show({ parameters, signal, router, title }) {
  const id = parameters.id;
  let test = await get(`/tests/${encodeURIComponent(id)}`, {}, signal);
  title(test.name);

  const series = new Series();
  const charts = runCharts();
  const regions = regionCharts();
  // What is drawn anew as it changes; each part alone, so that a reader keeps the place.
  const parts = Object.fromEntries(
    ["head", "connection", "waiting", "numbers", "alarms", "tables"].map((name) => [name, h("div", { class: name })]),
  );
  parts.connection.setAttribute("role", "status");
  const board = new Board();
  const places = (...names) => names.map((name) => board.place(name));
  parts.tables.append(
    ...places("percentiles", "endpoints"),
    h("div", { class: "pairs" }, places("codes", "checks")),
    board.place("regions"),
    regions.element,
    ...places("failures", "metrics", "phases", "workers", "log", "downloads"),
  );
  let now = null; // the newest `metric` message
  let summary = test.summary;
  let list = []; // WorkerActors
  let log = test.summary?.log ?? [];
  let sampled = false; // whether the requests that failed have been asked for after the end
  let queue = null;
  let crossed = new Set();

  function head() {
    const facts = [
      format.plural(test.workers, "worker"),
      format.duration(test.duration_seconds),
      format.regions(test.region),
      ...test.target_urls,
    ];
    const focused = parts.head.contains(document.activeElement) ? document.activeElement.textContent : null;
    set(
      parts.head,
      heading(test.name, {
        back: { href: "/runs", words: "Runs" },
        lead: [badge(test.status, test.paused), h("span", null, facts.join(" · "))],
        actions: actions(test, { changed: look, gone: () => router.go("/runs") }),
      }),
      test.reason ? h("p", { class: `reason ${test.status === "failed" ? "bad" : ""}` }, test.reason) : null,
      test.started_at ? h("p", { class: "hint" }, `Started ${format.exactTime(test.started_at)}${test.finished_at ? `, ended ${format.exactTime(test.finished_at)}` : ""}`) : null,
    );
    if (focused) [...parts.head.querySelectorAll("button, h1")].find((one) => one.textContent === focused)?.focus();
  }

  function numbers() {
    const ended = ENDED.includes(test.status);
    const data = ended ? summary : now;
    if (!data) {
      set(parts.numbers);
      return;
    }
    const rows = ended
      ? [
          ["Requests", format.count(summary.total_requests), format.rate(summary.rps)],
          ["p95 latency", format.milliseconds(summary.p95_latency_ms), `p99 ${format.milliseconds(summary.p99_latency_ms)}`],
          ["Average latency", format.milliseconds(summary.avg_latency_ms), `p50 ${format.milliseconds(summary.med_latency_ms)}`],
          ["Errors", format.percent(summary.error_rate), format.plural(summary.failed_requests, "request")],
          ["Iterations", format.count(summary.iterations), summary.failed_iterations ? `${format.count(summary.failed_iterations)} failed` : `${format.plural(summary.max_workers, "worker")} at most`],
          ["Received", format.bytes(summary.data_received_bytes), `sent ${format.bytes(summary.data_sent_bytes)}`],
        ]
      : [
          ["Requests/s", format.compact(now.rps), `${format.count(now.total_requests)} so far`],
          ["p95 latency", format.milliseconds(now.p95_latency_ms), `p99 ${format.milliseconds(now.p99_latency_ms)}`],
          ["Errors", format.percent(now.total.error_rate), format.plural(now.errors, "request")],
          ["Active workers", format.count(now.active_workers), `of ${format.count(test.workers)}`],
          ["Elapsed", format.clock(now.elapsed_seconds), `of ${format.clock(test.duration_seconds)}`],
        ];
    set(parts.numbers, tiles(rows), ended ? null : h("progress", {
      max: test.duration_seconds,
      value: Math.min(now.elapsed_seconds, test.duration_seconds),
      "aria-label": "Elapsed time",
    }));
  }

  function alarms() {
    const found = ENDED.includes(test.status) ? test.thresholds : now?.thresholds;
    for (const one of found ?? []) {
      const name = `${one.metric}: ${one.expression}`;
      if (one.ok) crossed.delete(name);
      else if (!crossed.has(name)) {
        crossed.add(name);
        if (now) announce(`The threshold ${name} is crossed.`);
      }
    }
    set(
      parts.alarms,
      results.thresholds(found),
      results.warnings(ENDED.includes(test.status) ? summary?.warnings : now?.warnings, test.warnings),
    );
  }

  function tables() {
    const ended = ENDED.includes(test.status);
    board.show("endpoints", summary?.endpoints, () => results.endpoints(summary), ended);
    board.show("codes", [summary?.status_codes, summary?.errors], () => results.statusCodes(summary), ended);
    board.show("checks", summary?.checks, () => results.checks(summary), ended);
    board.show("regions", summary?.by_region, results.regions, ended);
    board.show("workers", ended ? null : list, results.workers, ended);
    board.show("log", log, results.log, ended);
    if (!ended) return;
    board.show("percentiles", summary, distribution, true);
    sample();
    board.show("metrics", summary?.metrics, () => results.metrics(summary), true);
    board.show("phases", summary?.phases, () => results.phases(summary), true);
    board.show("downloads", test.id, () => downloads(test, signal), true);
  }

  async function sample() {
    if (sampled) return;
    sampled = true;
    try {
      const answer = await get(`/tests/${test.id}/failures`, {}, signal);
      board.show("failures", answer.failures, failures, true);
    } catch (error) {
      sampled = false;
      if (error.name !== "AbortError" && error.status) failed(error);
    }
  }

  function all() {
    const ended = ENDED.includes(test.status);
    head();
    set(parts.waiting, waiting(test, queue));
    numbers();
    alarms();
    tables();
    const live = Boolean(now) || series.last >= 0;
    charts.element.hidden = !live && !(ended && summary);
    drawn(ended ? series.last : test.duration_seconds);
  }

  function drawn(seconds) {
    charts.update(series, seconds);
    regions.update(series, seconds);
  }

  // The row, whenever something has happened to it.
  async function look() {
    try {
      test = await get(`/tests/${test.id}`, {}, signal);
      if (ENDED.includes(test.status)) {
        summary = test.summary;
        log = summary?.log ?? [];
        series.add(test.series);
      }
      all();
    } catch (error) {
      if (error.name !== "AbortError" && error.status) failed(error);
    }
  }

  let filling = false;

  // What came while nobody listened.
  async function fill(after = series.complete()) {
    if (filling) return;
    filling = true;
    try {
      const answer = await get(`/tests/${test.id}/series`, { after }, signal);
      series.add(answer.series);
      if (answer.series.length) all();
    } catch {
      // The next message asks again, if there is a gap.
    } finally {
      filling = false;
    }
  }

  function connection(words, kind) {
    set(parts.connection, words ? h("p", { class: `connection ${kind}` }, words) : null);
  }

  function hear(data) {
    connection("");
    if (data.type === "metric") {
      now = data;
      if (series.message(data)) fill();
      numbers();
      alarms();
      charts.element.hidden = false;
      drawn(test.duration_seconds);
    } else if (data.type === "status") {
      if (data.status !== test.status || data.paused !== test.paused) announce(`The test is ${data.paused ? "paused" : data.status}.`);
      test = { ...test, status: data.status, paused: data.paused, reason: data.reason };
      all();
      look();
    } else look();
  }

  if (ENDED.includes(test.status)) series.add(test.series);
  all();
  if (ACTIVE.includes(test.status)) {
    follow(test.id, signal, {
      opened: () => fill(),
      message: hear,
      speaks: () => test.status === "running",
      ended: look,
      lost: (seconds) => connection(`The connection was lost. Trying again ${seconds < 1.5 ? "now" : `in ${Math.round(seconds)} s`} …`, "bad"),
      refused: (error) => connection(error.error, "bad"),
    });
    let looks = 0;
    repeated(LOOK_MILLISECONDS, signal, async () => {
      if (!ACTIVE.includes(test.status)) return;
      // What a WorkerActor told late of a second that was shown already.
      if (looks++ % 5 === 4) fill(Math.max(-1, series.last - LATE_SECONDS));
      const path = `/tests/${test.id}`;
      const one = (name, work) => get(`${path}/${name}`, {}, signal).then(work).catch(() => {});
      if (test.status === "running") {
        await Promise.all([
          one("summary", (answer) => {
            if (answer.summary) summary = answer.summary;
          }),
          one("workers", (answer) => {
            list = answer.workers;
          }),
          one("log", (answer) => {
            log = answer.lines;
          }),
          looks % 5 === 1 && one("failures", (answer) => {
            if (test.status === "running") board.show("failures", answer.failures, failures);
          }),
        ]);
        if (test.status === "running" && !signal.aborted) tables();
      } else {
        await one("queue", (answer) => {
          queue = answer;
        });
        set(parts.waiting, waiting(test, queue));
      }
    });
  }
  return [parts.head, parts.connection, parts.waiting, parts.numbers, charts.element, parts.alarms, parts.tables];
}
