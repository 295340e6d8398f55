// Workers (virtual users): who runs the next iteration, and what happens when one ends.
"use strict";
(function (fu) {
  const { CELL, control, exchange, Coroutine, operation } = fu;

  // Kinds of operations; mirrored by `Kind` in exchange.py.
  const KIND = Object.freeze({
    REQUEST: 1,
    SLEEP: 2,
    DEFINE_TEMPLATE: 3,
    DEFINE_SERIES: 4,
    DEFINE_METRIC: 5,
    LOG: 6,
    RESULT: 7,
    ERROR: 8,
    FORGET_TEMPLATES: 9,
    CANCEL: 10,
    CHECKS: 11,
    OWN: 12, // a slot's requests go over connections of a worker's own,
    LEAVE: 13, // which end with its iteration
    FAILURE: 14,
    OPEN: 32, // and on: operations of connections
    SEND_TEXT: 33,
    SEND_BASE64: 34,
    SEND_BYTES: 35,
    RECEIVE: 36,
    CLOSE: 37,
  });
  const COMMAND = Object.freeze({ TARGET: 1, ITERATE: 2, STOP: 3, DROP: 4 });
  // Cells of one scenario; mirrored by `ScenarioCell` in exchange.py.
  const S = Object.freeze({ ACTIVE: 0, STARTED: 1, ENDED: 2, DROPPED: 3, FAILED: 4, INTERRUPTED: 5 });
  const WIDTH = 8;
  // Iterations started in one pump, so that scripts that never wait let the engine breathe.
  const BURST = 256;
  const WARMUP_MS = 10000;
  const ID_LEAP = 2 ** 31; // as in takeover.py

  // What waits in a slot of the exchange: a Coroutine, or anything with `complete(at)`.
  const slots = [];
  const freeSlots = [];

  function claimSlot(waiter) {
    const slot = freeSlots.length > 0 ? freeSlots.pop() : slots.length;
    slots[slot] = waiter;
    return slot;
  }

  function freeSlot(slot) {
    slots[slot] = undefined;
    freeSlots.push(slot);
  }

  // Slots of what was given up. What the engine has already finished for them is still on its way
  // through this pump, and must not meet anybody new.
  let retired = [];

  function retireSlot(slot) {
    slots[slot] = undefined;
    retired.push(slot);
  }

  class Worker {
    constructor(scenario, index, id) {
      this.scenario = scenario;
      this.index = index; // within this host's share of the scenario
      this.id = id; // across the whole test, from 1
      this.iteration = 0;
      this.most = scenario.perWorker + (index < scenario.oneMore ? 1 : 0); // iterations
      this.begun = 0;
      this.slept = 0;
      this.running = false;
      this.queued = false;
      this.operated = false;
      this.context = scenario.context;
      this.state = {};
      this.jar = null;
      this.connections = null; // WebSockets and event streams that it has opened
      this.coroutine = null;
      this.spawned = new Set(); // coroutines of async functions under way
      this.ending = null; // what the iteration ended with, while some of those still run
      this.onceSettled = (failed, value) => endIteration(this, failed, value);
    }
  }

  class Scenario {
    constructor(number, spec, fn) {
      this.number = number;
      this.name = spec.name;
      this.open = spec.open;
      this.fn = fn;
      this.perWorker = spec.iterations_per_worker ?? Infinity;
      this.oneMore = spec.workers_with_one_more ?? 0;
      this.shared = spec.shared_iterations ?? Infinity;
      this.minimum = spec.min_iteration_ms ?? 0;
      this.firstId = spec.first_worker_id;
      this.idStep = spec.worker_id_step ?? 1;
      this.target = 0;
      this.stopping = false;
      this.workers = [];
      this.idle = [];
      this.cells = number * WIDTH;
      this.context = fu.contextFor(spec.name, "", spec.tags ?? {});
      this.env = fu.environment(spec.env);
      this.sink = spec.sink;
      this.iterationMetric = fu.metric("iteration", "histogram", this.context.all);
      this.iterationTotalMetric = fu.metric("iteration_total", "histogram", this.context.all);
    }

    worker(index) {
      let worker = this.workers[index];
      if (worker === undefined) {
        worker = new Worker(this, index, this.firstId + index * this.idStep);
        this.workers[index] = worker;
      }
      return worker;
    }
  }

  fu.apart(Worker);
  fu.apart(Scenario);

  let scenarios = [];
  let queue = [];
  let queueHead = 0;
  let setupData;

  function enqueue(worker) {
    worker.queued = true;
    queue.push(worker);
  }

  function count(scenario, cell, amount) {
    exchange.scenarios[scenario.cells + cell] += amount;
  }

  function mayIterate(worker) {
    const scenario = worker.scenario;
    if (scenario.stopping) return false;
    if (scenario.open) return false;
    if (worker.index >= scenario.target) return false;
    if (worker.iteration >= worker.most) return false;
    return scenario.shared > 0;
  }

  function begin(worker) {
    const scenario = worker.scenario;
    if (scenario.shared !== Infinity) scenario.shared--;
    worker.running = true;
    worker.operated = false;
    worker.begun = control[CELL.NOW];
    worker.slept = 0;
    worker.context = scenario.context;
    count(scenario, S.ACTIVE, 1);
    count(scenario, S.STARTED, 1);
    const coroutine = new Coroutine(worker, iterationEnded);
    worker.coroutine = coroutine;
    coroutine.slot = claimSlot(coroutine);
    fu.start(coroutine, scenario.fn, [setupData]);
  }

  function iterationEnded(coroutine, failed, value) {
    const worker = coroutine.owner;
    freeSlot(coroutine.slot);
    worker.coroutine = null;
    // What async functions have begun belongs to the iteration, awaited or not.
    if (worker.spawned.size > 0) worker.ending = { failed, value };
    else endIteration(worker, failed, value);
  }

  function endIteration(worker, failed, value) {
    const scenario = worker.scenario;
    if (failed) {
      count(scenario, S.FAILED, 1);
      fu.logError(value, worker);
    }
    const total = control[CELL.NOW] - worker.begun;
    fu.value(scenario.iterationMetric, total > worker.slept ? total - worker.slept : 0);
    fu.value(scenario.iterationTotalMetric, total);
    worker.iteration++;
    worker.running = false;
    if (fu.httpSettings.ownConnections) operation(0, KIND.LEAVE, 0, worker.id, 0, 0, 0, 0);
    count(scenario, S.ACTIVE, -1);
    count(scenario, S.ENDED, 1);
    if (worker.connections !== null) {
      fu.closeConnections(worker, scenario.open ? !scenario.stopping : mayIterate(worker));
    }
    const rest = scenario.minimum - total;
    if (rest > 0) pause(worker, rest);
    else next(worker);
  }

  function next(worker) {
    if (mayIterate(worker)) enqueue(worker);
    else if (worker.scenario.open) worker.scenario.idle.push(worker);
  }

  // Pads a short iteration: the worker is busy, but no coroutine waits.
  function pause(worker, milliseconds) {
    const slot = claimSlot({
      wake() {
        freeSlot(slot);
        worker.queued = false;
        next(worker);
      },
    });
    operation(slot, KIND.SLEEP, milliseconds, 0, 0, 0, 0, 0);
    worker.queued = true;
  }

  function command(kind, a, b) {
    const scenario = scenarios[a];
    switch (kind) {
      case COMMAND.TARGET: {
        const before = scenario.target;
        scenario.target = b;
        if (scenario.open) {
          for (let i = before; i < b; i++) {
            const worker = scenario.worker(i);
            if (!worker.running) scenario.idle.push(worker);
          }
        } else {
          for (let i = before; i < b; i++) {
            const worker = scenario.worker(i);
            if (!worker.running && !worker.queued && mayIterate(worker)) enqueue(worker);
          }
        }
        break;
      }
      case COMMAND.ITERATE:
        for (let i = 0; i < b; i++) {
          const worker = scenario.stopping ? undefined : scenario.idle.pop();
          if (worker === undefined) count(scenario, S.DROPPED, 1);
          else enqueue(worker);
        }
        break;
      case COMMAND.STOP:
        scenario.stopping = true;
        for (const worker of scenario.workers) {
          if (worker !== undefined && !worker.running) fu.closeConnections(worker, false);
        }
        break;
      case COMMAND.DROP:
        drop(scenario);
        break;
    }
  }

  // A coroutine that runs beside its worker's own (an async function's) gets a slot.
  function adoptCoroutine(coroutine) {
    coroutine.slot = claimSlot(coroutine);
    coroutine.owner.spawned.add(coroutine);
  }

  function releaseCoroutine(coroutine) {
    const worker = coroutine.owner;
    freeSlot(coroutine.slot);
    worker.spawned.delete(coroutine);
    if (worker.ending !== null && worker.spawned.size === 0) {
      const { failed, value } = worker.ending;
      worker.ending = null;
      worker.onceSettled(failed, value);
    }
  }

  function abandon(waiter) {
    operation(waiter.slot, KIND.CANCEL, 0, 0, 0, 0, 0, 0);
    waiter.ended = true;
    retireSlot(waiter.slot);
    // A batch has a slot for each of its requests.
    for (const part of waiter.parts ?? []) if (!part.ended) abandon(part);
  }

  function abandonWork(worker) {
    if (worker.coroutine !== null) abandon(worker.coroutine);
    for (const coroutine of worker.spawned) abandon(coroutine);
    worker.spawned.clear();
    worker.ending = null;
    worker.coroutine = null;
    fu.closeConnections(worker, false);
  }

  // Ends the iterations under way without running the rest of them.
  function drop(scenario) {
    scenario.stopping = true;
    for (const worker of scenario.workers) {
      if (worker === undefined || !worker.running) continue;
      abandonWork(worker);
      worker.running = false;
      count(scenario, S.ACTIVE, -1);
      count(scenario, S.INTERRUPTED, 1);
    }
  }

  // Hands everything that the engine has put into the exchange to whoever waits for it, then
  // starts iterations. Returns nothing: results are in the exchange.
  function pump() {
    const commands = control[CELL.COMMANDS];
    for (let i = 0; i < commands; i++) {
      const at = i * 4;
      command(exchange.commands[at], exchange.commands[at + 1], exchange.commands[at + 2]);
    }
    control[CELL.COMMANDS] = 0;
    const wakes = control[CELL.WAKES];
    for (let i = 0; i < wakes; i++) {
      const waiter = slots[exchange.wakes[i]];
      if (waiter === undefined || waiter.ended) continue;
      if (waiter instanceof Coroutine) {
        fu.resume(waiter, undefined, false);
      } else waiter.wake();
    }
    control[CELL.WAKES] = 0;
    const completions = control[CELL.COMPLETIONS];
    for (let i = 0; i < completions; i++) {
      const at = i * fu.COMPLETION_COLUMNS;
      const waiter = slots[exchange.completions[at]];
      if (waiter !== undefined) fu.completed(waiter, at);
    }
    const events = control[CELL.EVENTS];
    for (let i = 0; i < events; i++) fu.happened(i * fu.EVENT_COLUMNS);
    control[CELL.EVENTS] = 0;
    let started = 0;
    while (queueHead < queue.length && started < BURST) {
      const worker = queue[queueHead++];
      worker.queued = false;
      if (worker.scenario.open ? !worker.scenario.stopping : mayIterate(worker)) {
        begin(worker);
        started++;
      }
    }
    if (queueHead > 4096 && queueHead * 2 > queue.length) {
      queue = queue.slice(queueHead);
      queueHead = 0;
    }
    if (queueHead === queue.length && queueHead > 0) {
      queue = [];
      queueHead = 0;
    }
    control[CELL.MORE] = queueHead < queue.length ? 1 : 0;
    if (retired.length > 0) {
      for (let i = 0; i < retired.length; i++) freeSlots[freeSlots.length] = retired[i];
      retired = [];
    }
  }

  function sleep(seconds) {
    const coroutine = fu.current;
    if (coroutine === null) throw new Error("sleep() cannot be called in the init code");
    let milliseconds = Number(seconds) * 1000;
    if (!(milliseconds > 0)) milliseconds = 0;
    coroutine.owner.slept += milliseconds;
    operation(coroutine.slot, KIND.SLEEP, milliseconds, 0, 0, 0, 0, 0);
    return fu.OP;
  }

  // Prepares the scenarios described (JSON, see engine.py) in inBytes.
  function plan() {
    const spec = fu.JSON.parse(fu.takeText());
    exchange.scenarios.fill(0);
    setupData = spec.setup_data;
    fu.workersOfTheTest = spec.workers;
    fu.idsOfEarlier = (spec.generation ?? 0) * ID_LEAP;
    scenarios = spec.scenarios.map((s, i) => new Scenario(i, s, fu.entry[s.exec]));
  }

  // Runs an exported function once, outside any scenario (setup, teardown, handleSummary); its
  // name and argument are JSON in inBytes. The result leaves as a RESULT or ERROR operation.
  function once() {
    const { name, data } = fu.JSON.parse(fu.takeText());
    runOnce(fu.entry[name], data);
  }

  let runsOnce = null; // the worker of what was run so at last

  function runOnce(fn, data) {
    const context = fu.contextFor("", "", {});
    const scenario = { context, name: "", env: fu.environment(), sink: fu.httpSettings.sink };
    const worker = new Worker(scenario, 0, 0);
    runsOnce = worker;
    const finish = (failed, value) => {
      fu.closeConnections(worker, false);
      if (failed) {
        fu.report(value);
        return;
      }
      let text;
      try {
        text = fu.JSON.stringify(value === undefined ? null : value);
        if (text === undefined) text = "null";
      } catch (error) {
        fu.report(error);
        return;
      }
      operation(0, KIND.RESULT, fu.putText(text), 0, 0, 0, 0, 0);
    };
    worker.onceSettled = finish;
    const coroutine = new Coroutine(worker, (ended, failed, value) => {
      freeSlot(coroutine.slot);
      worker.coroutine = null;
      if (worker.spawned.size > 0) worker.ending = { failed, value };
      else finish(failed, value);
    });
    worker.coroutine = coroutine;
    coroutine.slot = claimSlot(coroutine);
    fu.start(coroutine, fn, [data]);
  }

  function abandonOnce() {
    if (runsOnce !== null) abandonWork(runsOnce);
    runsOnce = null;
  }

  // Sends `count` requests for a URL at once (JSON in inBytes): each needs a connection of its own.
  // The result is a list of the errors of those that failed.
  function warm() {
    const { url, count } = fu.JSON.parse(fu.takeText());
    const request = { url, followRedirects: false, timeout: WARMUP_MS };
    runOnce(function* () {
      let responses;
      fu.warming = true;
      try {
        responses = yield fu.http.batch(Array.from({ length: count }, () => request));
      } finally {
        fu.warming = false;
      }
      return responses.filter((one) => !(one?.status > 0)).map((one) => one?.error ?? null);
    });
  }

  fu.KIND = KIND;
  // Takes back the operation that the running coroutine has just begun.
  function cancelOperation() {
    operation(fu.current.slot, KIND.CANCEL, 0, 0, 0, 0, 0, 0);
  }

  fu.claimSlot = claimSlot;
  fu.freeSlot = freeSlot;
  fu.adoptCoroutine = adoptCoroutine;
  fu.releaseCoroutine = releaseCoroutine;
  fu.cancelOperation = cancelOperation;
  fu.pump = pump;
  fu.plan = plan;
  fu.once = once;
  fu.abandonOnce = abandonOnce;
  fu.warm = warm;
  fu.sleep = sleep;
})
