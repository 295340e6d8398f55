// How the results developed over many runs.

import { get } from "../client.js";
import { debounced, h, set } from "../dom.js";
import * as format from "../format.js";
import { chart } from "../parts/chart.js";
import { field, input, select } from "../parts/form.js";
import { failed } from "../parts/notice.js";
import { empty, heading, section } from "../parts/panel.js";
import { table } from "../parts/table.js";

const DAY = 24 * 3600 * 1000;
const METRICS = [["p95", "p95 latency"], ["avg", "Average latency"], ["error_rate", "Error rate"], ["rps", "Requests/s"]];
const PERIODS = [["7d", "7 days"], ["30d", "30 days"], ["90d", "90 days"], ["365d", "a year"]];
const VALUES = { p95: format.milliseconds, avg: format.milliseconds, error_rate: format.percent, rps: format.rate };

export async function show({ query, signal, title }) {
  title("Trends");
  const metric = select("metric", METRICS, query.get("metric") ?? "p95");
  const period = select("period", PERIODS, query.get("period") ?? "30d");
  const target = input("target_url", { type: "url", value: query.get("target_url") ?? "", placeholder: "https://api.example.com" });
  const place = h("div", { class: "tables" });

  async function load() {
    const asked = { metric: metric.value, period: period.value, target_url: target.value.trim() };
    const answer = await get("/analytics/trends", asked, signal);
    const address = new URLSearchParams(Object.entries(asked).filter(([, value]) => value));
    history.replaceState(null, "", `/trends?${address}`);
    draw(answer);
  }

  function draw(answer) {
    if (!answer.total_runs) {
      set(place, empty("No completed runs here", asWords(answer), h("a", { class: "button primary", href: "/new" }, "New test")));
      return;
    }
    const value = VALUES[answer.metric];
    const words = METRICS.find(([name]) => name === answer.metric)[1];
    const drawn = chart({ title: words, value, x: format.date, xTicks: dayTicks, hint: asWords(answer) });
    const points = answer.points.map((one) => [Date.parse(one.timestamp), one.value, one.name]);
    const now = Date.now();
    const daily = answer.daily.map((one) => [Math.min(now, Date.parse(`${one.date}T12:00:00Z`)), one.avg]);
    drawn.update([
      { name: "mean of the day", points: daily },
      { name: "a run", points, dotsOnly: true },
    ], [now - Number.parseInt(answer.period, 10) * DAY, now]);
    set(
      place,
      drawn.element,
      section("By day", table("By day", [
        { title: "Day", value: (one) => one.date },
        { title: "Runs", number: true, value: (one) => format.count(one.runs) },
        { title: "Mean", number: true, value: (one) => value(one.avg) },
        { title: "Lowest", number: true, value: (one) => value(one.min) },
        { title: "Highest", number: true, value: (one) => value(one.max) },
      ], answer.daily.toReversed().slice(0, 60))),
      section("Newest runs", table("Newest runs", [
        { title: "Run", value: (one) => h("a", { href: `/runs/${one.test_id}` }, one.name) },
        { title: "Ended", value: (one) => format.time(one.timestamp) },
        { title: words, number: true, value: (one) => value(one.value) },
      ], answer.points.toReversed().slice(0, 20))),
    );
  }

  const again = () => load().catch(failed);
  metric.addEventListener("change", again);
  period.addEventListener("change", again);
  target.addEventListener("input", debounced(500, again));
  await load();
  return [
    heading("Trends"),
    h("div", { class: "filters labelled" }, field("Metric", metric), field("Period", period), field("Only with this target", target)),
    place,
  ];
}

function asWords(answer) {
  const days = Number.parseInt(answer.period, 10);
  return `${format.plural(answer.total_runs, "completed run")} of the last ${days} days${answer.target_url ? ` with ${answer.target_url}` : ""}`;
}

function dayTicks(from, to, wanted) {
  const step = Math.ceil((to - from) / DAY / wanted) * DAY;
  const found = [];
  for (let at = Math.ceil(from / DAY) * DAY; at <= to; at += step) found.push(at);
  return found;
}
