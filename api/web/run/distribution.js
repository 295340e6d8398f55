// How latencies are spread: within which time which share of the requests was answered.

import * as format from "../format.js";
import { chart } from "../parts/chart.js";

const TICKS = [0, 50, 90, 99, 99.9, 99.99, 99.999];
const END = 0.3; // where the slowest stands, at least so far from the last percentile

// From 0 to 50, 90, 99, 99.9 and so on it is as far as each is rarer than the one before: what the
// slowest few have to wait is seen as well as what most do.
export function distribution(summary) {
  if (!summary?.total_requests) return null;
  const known = summary.latency_percentiles?.length ? summary.latency_percentiles : few(summary);
  const places = new Map();
  const points = known.map(({ percentile, latency_ms }, index) => {
    const before = index ? rarity(known[index - 1].percentile) : 0;
    const at = percentile < 100 ? rarity(percentile) : Math.max(Math.log10(summary.total_requests), before + END);
    places.set(at, percentile < 100 ? `${percentile} %` : "slowest");
    return [at, latency_ms];
  });
  const last = points.at(-1)[0];
  const drawn = chart({
    title: "Latency by percentile",
    hint: "share of requests that were answered within",
    value: format.milliseconds,
    x: (at) => places.get(at),
    xTicks: (low, high, wanted) => apart([...TICKS.map(rarity).filter((at) => places.has(at)), last], high / wanted / 2),
    dots: true,
  });
  drawn.update([{ name: "", points, area: true }], [0, last]);
  return drawn.element;
}

// 0 -> 0, 90 -> 1, 99 -> 2
function rarity(percentile) {
  return Number(-Math.log10(1 - percentile / 100).toFixed(6)) + 0;
}

// Of runs that were stored without more.
function few(summary) {
  return [[0, "min"], [50, "med"], [90, "p90"], [95, "p95"], [99, "p99"], [100, "max"]]
    .map(([percentile, name]) => ({ percentile, latency_ms: summary[`${name}_latency_ms`] }));
}

// The last one, and before it those that are not closer to the next.
function apart(ticks, distance) {
  const kept = [];
  for (const at of ticks.reverse()) if (!kept.length || kept[0] - at >= distance) kept.unshift(at);
  return kept;
}
