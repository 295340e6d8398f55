// print, console and the script's exceptions: lines that leave through the exchange.
"use strict";
(function (fu) {
  const { JSON, operation } = fu;
  const { Error, String } = globalThis; // a script may delete them
  const LINES_PER_SECOND = 200;
  const LONGEST_LINE = 8192;
  const { apply } = Reflect;
  const { slice } = String.prototype;
  let budget = LINES_PER_SECOND;
  let unsaid = 0;

  function show(value, depth = 0) {
    if (typeof value === "string") return value;
    if (typeof value === "function") return `[function ${value.name}]`;
    if (typeof value !== "object" || value === null) return String(value);
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    try {
      const text = JSON.stringify(value);
      return text === undefined ? String(value) : text;
    } catch (error) {
      return `[object that cannot be shown: ${error}]`;
    }
  }

  function line(level, text, stack) {
    if (budget <= 0) {
      unsaid++;
      return;
    }
    budget--;
    const worker = fu.current === null ? -1 : fu.current.owner.id;
    const cut = text.length > LONGEST_LINE ? apply(slice, text, [0, LONGEST_LINE]) + "…" : text;
    const json = JSON.stringify({ __proto__: null, level, text: cut, worker, stack: stack ?? "" });
    operation(0, fu.KIND.LOG, fu.putText(json), 0, 0, 0, 0, 0);
  }

  function freshLogBudget() {
    budget = LINES_PER_SECOND;
    if (unsaid > 0) {
      const missing = unsaid;
      unsaid = 0;
      line("warn", `${missing} more log lines in this second were left out.`);
    }
  }

  function logger(level) {
    return (...values) => line(level, values.map((value) => show(value)).join(" "));
  }

  function table(rows) {
    const list = Array.isArray(rows) ? rows : [rows];
    const columns = [...new Set(list.flatMap((row) => Object.keys(Object(row))))];
    const cells = [columns, ...list.map((row) => columns.map((name) => show(Object(row)[name])))];
    const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
    for (const row of cells) line("info", row.map((cell, i) => cell.padEnd(widths[i])).join("  "));
  }

  // What went wrong, as text that survives hostile error objects.
  function describe(error) {
    let message = "an error that cannot be shown";
    let stack = "";
    try {
      if (error instanceof Error) {
        message = `${error.name}: ${error.message}`;
        stack = String(error.stack ?? "");
      } else {
        message = `Uncaught ${show(error)}`;
      }
    } catch {
      // A getter or a proxy threw: the default says so.
    }
    return {
      __proto__: null,
      message: apply(slice, message, [0, LONGEST_LINE]),
      stack: apply(slice, stack, [0, LONGEST_LINE]),
    };
  }

  function logError(error, worker) {
    const { message, stack } = describe(error);
    line("error", message, stack);
  }

  // The run of an exported function ended with this error.
  function report(error) {
    operation(0, fu.KIND.ERROR, fu.putText(JSON.stringify(describe(error))), 0, 0, 0, 0, 0);
  }

  fu.console = Object.freeze({
    log: logger("info"),
    info: logger("info"),
    warn: logger("warn"),
    error: logger("error"),
    debug: logger("debug"),
    table,
  });
  fu.print = logger("info");
  fu.logError = logError;
  fu.report = report;
  fu.freshLogBudget = freshLogBudget;
})
