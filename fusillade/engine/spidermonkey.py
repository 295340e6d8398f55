"""SpiderMonkey alone: pythonmonkey's engine without its package.

``import pythonmonkey`` builds a Node-like world around the engine: modules, timers, XMLHttpRequest
(and aiohttp for it), and a global ``python`` that reaches the interpreter. A script host needs none
of it but ``URL``, and takes most of its start for it. So only the extension module is loaded, and
``URL`` comes from the same core-js that the package brings.

pythonmonkey works only in the thread that imported it, so it is imported here, once, and nothing
else in the project imports it.
"""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

_MODULES = ("core-js/actual/url", "core-js/actual/url-search-params")

# CommonJS, as far as core-js needs it. `read(path)` gives {path, source} of a file.
_REQUIRE = """(function (read, evaluate) {
  "use strict";
  const loaded = new Map();
  function joined(directory, name) {
    const parts = directory.split("/");
    for (const part of name.split("/")) {
      if (part === "..") parts.pop();
      else if (part !== ".") parts.push(part);
    }
    return parts.join("/");
  }
  function load(name) {
    const { path, source } = read(name);
    if (loaded.has(path)) return loaded.get(path).exports;
    const module = { exports: {} };
    loaded.set(path, module);
    const directory = path.slice(0, path.lastIndexOf("/"));
    const require = (other) => load(joined(directory, other));
    const code = `(function (require, module, exports) {${source}\\n})`;
    evaluate(code, { filename: path })(require, module, module.exports);
    return module.exports;
  }
  return (name) => { load(name); };
})"""


def load_engine() -> Callable[..., Any]:
    """Start SpiderMonkey in this thread; its ``eval``. The global object has ECMAScript, ``URL``
    and ``URLSearchParams``."""
    found = importlib.util.find_spec("pythonmonkey")
    if found is None or not found.submodule_search_locations:
        raise ImportError("pythonmonkey is not installed")
    directory = Path(found.submodule_search_locations[0])
    # A package that is empty but knows where it lies: its __init__ is what must not run.
    bare = ModuleType("pythonmonkey")
    bare.__path__ = [str(directory)]
    sys.modules["pythonmonkey"] = bare
    engine = importlib.import_module("pythonmonkey.pythonmonkey")
    evaluate: Callable[..., Any] = engine.eval
    modules = directory / "node_modules"

    def read(name: str) -> Mapping[str, str]:
        for path in (f"{name}.js", name, f"{name}/index.js"):
            file = modules / path
            if file.is_file():
                return {"path": path, "source": file.read_text("utf-8")}
        raise FileNotFoundError(f"pythonmonkey comes without {name}")

    load = evaluate(_REQUIRE)(read, evaluate)
    for name in _MODULES:
        load(name)
    return evaluate
