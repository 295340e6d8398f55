"""The JavaScript realm of a script host: SpiderMonkey, our runtime, and the script's modules."""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import msgspec

from fusillade.engine.exchange import Exchange
from fusillade.engine.spidermonkey import load_engine

# In the order in which they build on one another.
_RUNTIME = (
    "hardening",
    "coroutine",
    "exchange",
    "worker",
    "log",
    "metrics",
    "encoding",
    "cookies",
    "html_tree",
    "html_selector",
    "html",
    "response",
    "forms",
    "failures",
    "http",
    "batch",
    "client",
    "connections",
    "ws",
    "sse",
    "custom_metrics",
    "data",
    "testing",
    "utils",
    "globals",
    "modules",
)

_PRELUDE = """(function () {
  "use strict";
  return {
    __proto__: null,
    JSON: Object.freeze({ parse: JSON.parse, stringify: JSON.stringify }),
    URL: globalThis.URL,
  };
})()"""

_API = """(function (fu) {
  "use strict";
  return {
    pump: () => { fu.pump(); },
    load: () => { fu.load(); },
    plan: () => { fu.plan(); },
    once: () => { fu.once(); },
    abandonOnce: () => { fu.abandonOnce(); },
    warm: () => { fu.warm(); },
    flush: () => { fu.flush(); },
    configure: () => { fu.configure(); },
    growInBytes: () => { fu.growInBytes(); },
    arrays: () => fu.exchange,
    addModule: fu.addModule,
    addFile: () => { fu.addFile(); },
    onWake: (wake) => { fu.wakeEngine = () => { wake(); }; },
  };
})"""


class Realm:
    """One script's world. ``exchange`` is how it is spoken to."""

    def __init__(self) -> None:
        self._evaluate = load_engine()
        runtime = self._evaluate(_PRELUDE)
        for name in _RUNTIME:
            self._evaluate(_source("engine", f"runtime/{name}.js"), _named(f"runtime/{name}.js"))(
                runtime
            )
        self._evaluate(_source("script", "support.js"), _named("script/support.js"))(runtime)
        api = self._evaluate(_API)(runtime)
        # Looked up now: pythonmonkey runs code that a script could change.
        self._api: Mapping[str, Any] = {name: api[name] for name in list(api)}
        self.exchange = Exchange(self._api["arrays"], self._api["pump"], self._api["growInBytes"])

    def add_module(self, path: str, code: str) -> None:
        """Evaluate one compiled module (an expression that is a function); ``load`` runs it.

        Raises ``pythonmonkey.SpiderMonkeyError`` for a syntax error.
        """
        self._api["addModule"](path, self._evaluate(code, _named(path)))

    def add_file(self, path: str, content: bytes) -> None:
        """A file that ``open()`` finds."""
        self.exchange.put_text(path.encode() + b"\0" + content)
        self._api["addFile"]()

    def load(self, env: Mapping[str, str]) -> None:
        """Run the init code. Leaves a RESULT or an ERROR operation in the exchange."""
        self._call("load", {"env": env})

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Hand the runtime the options that are its own (see ``httpSettings`` in http.js)."""
        self._call("configure", settings)

    def plan(self, plan: Mapping[str, Any]) -> None:
        """Prepare scenarios; the shape is what ``Engine`` sends."""
        self._call("plan", plan)

    def once(self, name: str, data: Any) -> None:
        """Begin an exported function (``setup``, ``teardown``) outside any scenario."""
        self._call("once", {"name": name, "data": data})

    def abandon_once(self) -> None:
        """End what ``once`` has begun without running the rest of it."""
        self._api["abandonOnce"]()

    def warm(self, url: str, count: int) -> None:
        """Begin so many requests side by side, outside any scenario."""
        self._call("warm", {"url": url, "count": count})

    def flush(self) -> None:
        """Make the runtime put what it has counted into the exchange."""
        self._api["flush"]()

    def on_wake(self, wake: Callable[[], None]) -> None:
        """``wake`` is called when a promise lets a worker go on, between two pumps."""
        self._api["onWake"](wake)

    def _call(self, function: str, argument: Any) -> None:
        self.exchange.put_text(msgspec.json.encode(argument))
        self._api[function]()


def _source(package: str, path: str) -> str:
    return files("fusillade").joinpath(package, *path.split("/")).read_text(encoding="utf-8")


def _named(filename: str) -> Any:
    return {"filename": filename, "lineno": 1}
