// Names for what is measured: contexts (scenario, group, tags), series of requests, checks and
// the author's own metrics. Numbers leave through the exchange; names leave once.
"use strict";
(function (fu) {
  const { JSON, operation } = fu;

  // Where a request or a check belongs. Everything measured in it carries these tags.
  class Context {
    constructor(scenario, group, tags) {
      this.scenario = scenario;
      this.group = group;
      this.tags = tags;
      this.all = { ...tags, scenario, group };
      this.series = new Map();
      this.checks = new Map();
      this.children = new Map();
    }

    inGroup(name) {
      let child = this.children.get(name);
      if (child === undefined) {
        const group = this.group === "" ? name : `${this.group}::${name}`;
        child = new Context(this.scenario, group, this.tags);
        contexts.push(child);
        this.children.set(name, child);
      }
      return child;
    }
  }

  const contexts = [];
  let seriesCount = 0;
  const metrics = new Map();

  function contextFor(scenario, group, tags) {
    const context = new Context(scenario, group, tags);
    contexts.push(context);
    return context;
  }

  // Tags as a script gives them, with texts as values.
  function tagsOf(given) {
    const tags = {};
    for (const [name, value] of Object.entries(given ?? {})) tags[name] = String(value);
    return tags;
  }

  // The number of the series that requests named `name` belong to.
  function seriesFor(context, name, method, tags) {
    const key = tags === null ? name : name + "\n" + JSON.stringify(tags);
    let id = context.series.get(key);
    if (id === undefined) {
      id = seriesCount++;
      context.series.set(key, id);
      const all = { ...context.all, ...(tags ?? {}), name, method };
      operation(0, fu.KIND.DEFINE_SERIES, id, fu.putText(JSON.stringify(all)), 0, 0, 0, 0);
    }
    return id;
  }

  // The option `no_endpoint_tracking`: all requests of a context are one series.
  function trackNoEndpoints() {
    const { seriesFor } = fu;
    fu.seriesFor = (context, name, method, tags) => seriesFor(context, "all", "", tags);
  }

  function metric(name, kind, tags) {
    const key = `${kind}\n${name}\n${JSON.stringify(tags)}`;
    let id = metrics.get(key);
    if (id === undefined) {
      id = metrics.size;
      metrics.set(key, id);
      const text = JSON.stringify({ name, kind, tags });
      operation(0, fu.KIND.DEFINE_METRIC, id, fu.putText(text), 0, 0, 0, 0);
    }
    return id;
  }

  function countCheck(context, name, ok) {
    let counts = context.checks.get(name);
    if (counts === undefined) {
      counts = { passes: 0, fails: 0 };
      context.checks.set(name, counts);
    }
    if (ok) counts.passes++;
    else counts.fails++;
  }

  // Once a second: what the checks have counted since the last time.
  function flush() {
    const rows = [];
    for (const context of contexts) {
      for (const [name, counts] of context.checks) {
        if (counts.passes + counts.fails === 0) continue;
        rows.push({ name, passes: counts.passes, fails: counts.fails, tags: context.all });
        counts.passes = 0;
        counts.fails = 0;
      }
    }
    if (rows.length > 0) {
      operation(0, fu.KIND.CHECKS, fu.putText(JSON.stringify(rows)), 0, 0, 0, 0, 0);
    }
    fu.freshLogBudget();
  }

  fu.contextFor = contextFor;
  fu.tagsOf = tagsOf;
  fu.seriesFor = seriesFor;
  fu.trackNoEndpoints = trackNoEndpoints;
  fu.metric = metric;
  fu.countCheck = countCheck;
  fu.flush = flush;
})
