// Loading a test: its modules in order, then what the entry exports.
"use strict";
(function (fu) {
  const { JSON, KIND, operation } = fu;
  const { keys } = Object;
  const compiled = [];
  const loaded = new Map();

  // Called by the engine once a module, in dependency order, the entry last.
  function addModule(path, fn) {
    compiled.push([path, fn]);
  }

  // Runs the init code of all modules. Leaves a RESULT (options, exports) or an ERROR.
  function load() {
    const { env } = JSON.parse(fu.takeText());
    fu.lockDown(env);
    try {
      const path = compiled[compiled.length - 1][0];
      fu.directory = path.slice(0, path.lastIndexOf("/") + 1);
      // All of them before the first runs: modules may import each other in a circle.
      for (const [path] of compiled) loaded.set(path, { __proto__: null });
      const get = (name) => loaded.get(name) ?? fu.builtin(name);
      for (const [path, fn] of compiled) {
        fn(fu.forScripts, { exports: loaded.get(path), import: get });
      }
      const entry = loaded.get(compiled[compiled.length - 1][0]);
      const functions = [];
      fu.entry = {};
      for (const name of keys(entry)) {
        if (typeof entry[name] === "function") {
          functions.push(name);
          fu.entry[name] = entry[name];
        }
      }
      const options = entry.options === undefined ? {} : entry.options;
      const text = JSON.stringify({ __proto__: null, exports: functions, options });
      if (JSON.parse(text).options === undefined) throw new TypeError("options: must be an object");
      operation(0, KIND.RESULT, fu.putText(text), 0, 0, 0, 0, 0);
    } catch (error) {
      fu.report(error);
    }
  }

  // Options that only the runtime needs, as JSON in inBytes.
  function configure() {
    const { trackEndpoints, ...http } = JSON.parse(fu.takeText());
    Object.assign(fu.httpSettings, http);
    if (!trackEndpoints) fu.trackNoEndpoints();
  }

  fu.addModule = addModule;
  fu.load = load;
  fu.configure = configure;
})
