// metrics: what a script measures itself, in our form and in that of k6/metrics.
"use strict";
(function (fu) {
  const numbers = new Map();

  function add(kind, name, value, tags) {
    const amount = Number(value);
    if (Number.isNaN(amount)) {
      throw new TypeError(`metrics: ${String(value)} is not a number (${name})`);
    }
    const context = fu.current === null ? null : fu.current.owner.context;
    const key = `${kind}\n${name}`;
    let known = context === null ? undefined : context.metrics?.get(key);
    if (tags !== undefined || known === undefined) {
      const all = { ...context?.all, ...fu.tagsOf(tags) };
      known = fu.metric(String(name), kind, all);
      if (tags === undefined && context !== null) {
        context.metrics ??= new Map();
        context.metrics.set(key, known);
      }
    }
    note(String(name), amount);
    fu.value(known, amount);
  }

  // ---- stats.get -----------------------------------------------------------------------------

  const MOST_KEPT = 10000;

  // The newest values of each metric on this machine, for stats.get().
  function note(name, value) {
    let kept = numbers.get(name);
    if (kept === undefined) {
      kept = { values: [], at: 0, count: 0, sum: 0, min: Infinity, max: -Infinity };
      numbers.set(name, kept);
    }
    kept.values[kept.at] = value;
    kept.at = (kept.at + 1) % MOST_KEPT;
    kept.count++;
    kept.sum += value;
    if (value < kept.min) kept.min = value;
    if (value > kept.max) kept.max = value;
  }

  function get(name) {
    const kept = numbers.get(String(name));
    if (kept === undefined) return { p95: 0, p99: 0, avg: 0, count: 0, min: 0, max: 0 };
    const sorted = Float64Array.from(kept.values).sort();
    const quantile = (q) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
    return {
      p95: quantile(0.95),
      p99: quantile(0.99),
      avg: kept.sum / kept.count,
      count: kept.count,
      min: kept.min,
      max: kept.max,
    };
  }

  const made = (kind, convert) =>
    class {
      constructor(name) {
        this.name = String(name);
      }

      add(value, tags) {
        add(kind, this.name, convert(value), tags);
        return true;
      }
    };

  fu.metrics = Object.freeze({
    histogramAdd: (name, value, tags) => add("histogram", name, value, tags),
    counterAdd: (name, value, tags) => add("counter", name, value ?? 1, tags),
    gaugeSet: (name, value, tags) => add("gauge", name, value, tags),
    rateAdd: (name, ok, tags) => add("rate", name, ok ? 1 : 0, tags),
  });
  fu.stats = Object.freeze({ get });
  fu.k6Metrics = Object.freeze({
    Trend: made("histogram", Number),
    Counter: made("counter", Number),
    Gauge: made("gauge", Number),
    Rate: made("rate", (value) => (value ? 1 : 0)),
  });
})
