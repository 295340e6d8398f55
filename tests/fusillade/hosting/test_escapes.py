"""Attempts of a script to get out, to get at the engine, or to hold it up.

Each ends in a clear error of that test, or has no effect. Attempts that cannot disturb one another
share a host.
"""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import psutil
import pytest
from scripts import as_files

from fusillade.engine.share import Share
from fusillade.errors import InvalidScript
from fusillade.hosting.messages import Log, Overrides
from fusillade.hosting.script_host import ScriptFailed, ScriptHost, ScriptHostDied
from fusillade.script.compiler import ScriptErrors, compile_script

MIB = 1 << 20


def table(rows: dict[str, tuple[str, str]]) -> pytest.MarkDecorator:
    """One case a row: attempt, and the pattern that its outcome has to match."""
    return pytest.mark.parametrize(("attempt", "outcome"), rows.values(), ids=rows.keys())


async def outcome_of(
    source: str,
    *,
    iterations: int = 1,
    memory_limit_bytes: int = 400 * MIB,
    watchdog_seconds: float = 10.0,
) -> list[str]:
    """What was logged, and at the end ``done`` or why the test ended."""
    lines: list[str] = []
    try:
        async with ScriptHost(
            memory_limit_bytes=memory_limit_bytes, watchdog_seconds=watchdog_seconds
        ) as host:
            await host.load(
                as_files(source, {"data.csv": "a,b\n1,2\n"}),
                "script.js",
                overrides=Overrides(workers=1, iterations=iterations, duration_seconds=20),
            )
            data = await host.setup()
            async for message in host.run(time.time(), Share(), data):
                if isinstance(message, Log):
                    lines.append(f"{message.level}: {message.text}")
            await host.teardown(data)
            lines += [f"{line.level}: {line.text}" for line in host.early_logs]
    except (InvalidScript, ScriptFailed, ScriptHostDied) as error:
        return [*lines, str(error)]
    return [*lines, "done"]


def together(work: Callable[[], Awaitable[Any]]) -> Callable[[], Any]:
    """Done once, for all cases of a table."""
    return cache(lambda: asyncio.run(work()))  # type: ignore[arg-type]


# ---- what can be reached ------------------------------------------------------------------------

_GONE = (
    *("python", "pmEval", "pythonmonkey", "bootstrap", "require", "internalBinding", "process"),
    *("XMLHttpRequest", "URL", "URLSearchParams", "fetch", "atob", "structuredClone", "Buffer"),
    *("global", "self", "window", "setTimeout", "setInterval", "queueMicrotask", "Deno", "Bun"),
    *("WebAssembly", "Atomics", "SharedArrayBuffer", "ShadowRealm", "module", "exports", "fu"),
)

REACHED = {
    **{name: (f"return typeof globalThis.{name};", "undefined") for name in _GONE},
    "the debugger's global is empty": (
        "const found = Object.values(Object.getOwnPropertyDescriptors(globalThis));"
        "const it = found.map((p) => p.value).filter((v) => typeof v === 'object' && v !== null);"
        "return it.filter((v) => Object.getPrototypeOf(v) === null).flatMap(Reflect.ownKeys);",
        "",
    ),
    "Function gives the same global": (
        "const it = [].constructor.constructor('return this')(); return it === globalThis;",
        "true",
    ),
    "Function sees nothing of the engine": (
        "return Function('return [typeof $fu, typeof fu, typeof exports, typeof python]')();",
        "undefined,undefined,undefined,undefined",
    ),
    "other function constructors see nothing either": (
        "const it = Object.getPrototypeOf(Object.getPrototypeOf((function* () {})()));"
        "const make = it.constructor.constructor;"
        "return make('return [typeof $fu, typeof fu, typeof python]')().next().value.join();",
        "undefined,undefined,undefined",
    ),
    "async code from strings sees nothing either": (
        "const made = (async () => {}).constructor; return typeof made('$fu');",
        "function",
    ),
    "indirect eval sees nothing of the engine": (
        "return globalThis['ev' + 'al']('typeof $fu + typeof fu + typeof python');",
        "undefinedundefinedundefined",
    ),
    "this of a function": ("return (function () { return typeof this; })();", "undefined"),
    "caller": (
        "let seen = 'not called';"
        "function spy() { try { seen = spy.caller; } catch (e) { seen = String(e); } return 'x'; }"
        "print({ toString: spy, toJSON: spy }); return seen;",
        "TypeError: .*may not be accessed on strict mode functions",
    ),
    "callee": ("return (function () { return arguments.callee; })();", "TypeError"),
    "the environment": ("return JSON.stringify(__ENV);", r"\{\}"),
    "the environment cannot be changed": ("__ENV.X = 1; return typeof __ENV.X;", "TypeError"),
    "http cannot be replaced": ("globalThis.http = 1; return 1;", "TypeError"),
    "http cannot be changed": ("http.get = 1; return 1;", "TypeError"),
    "open above": ("return open('../../etc/passwd');", 'no file "../../etc/passwd"'),
    "open absolute": ("return open('/etc/passwd');", 'no file "/etc/passwd"'),
    "open a URL": ("return open('file:///etc/passwd');", "no file"),
    "open with a zero": (r"return open('data.csv\0');", "no file"),
    "open with two answers": (
        "let n = 0; return open({ toString: () => (n++ ? '/etc/passwd' : 'data.csv') });",
        "a,b|no file",
    ),
    "open of a prototype's name": ("return open('__proto__');", "no file"),
    "open below and up again": ("return open('x/../data.csv');", "a,b"),
    "SharedCSV above": ("return new SharedCSV('../../etc/passwd').length;", "no file"),
    "__proto__ in JSON": (
        'const o = JSON.parse(\'{"__proto__": {"evil": 1}}\'); return `${{}.evil} ${o.evil}`;',
        "undefined undefined|undefined 1",
    ),
    "species of typed arrays": (
        "Object.defineProperty(Uint8Array, Symbol.species, { value: Array });",
        "TypeError: can't",
    ),
    "constructor of typed arrays": (
        "Object.defineProperty(Uint8Array.prototype, 'constructor', { get() { return Array; } });",
        "TypeError: can't redefine",
    ),
    "length of typed arrays": (
        "const all = Object.getPrototypeOf(Uint8Array.prototype);"
        "Object.defineProperty(all, 'length', { get() { return 9; } });",
        "TypeError: can't redefine",
    ),
    "length in front of that of all typed arrays": (
        "Object.defineProperty(Float64Array.prototype, 'length', { value: 9 });",
        "TypeError: can't define",
    ),
    "other parents for typed arrays": (
        "Object.setPrototypeOf(Uint8Array.prototype, { length: 9 });",
        "TypeError: can't set prototype",
    ),
    "instanceof": (
        "Object.defineProperty(Uint8Array, Symbol.hasInstance, { value: () => false });",
        "TypeError: can't",
    ),
    "WeakRef": ("return typeof new WeakRef({}).deref();", "object"),
}


@together
async def reached() -> dict[str, str]:
    attempts = ", ".join(
        f"{json.dumps(name)}: () => {{ {body} }}" for name, (body, _) in REACHED.items()
    )
    source = f"""
    const outcome = {{}};
    for (const [name, attempt] of Object.entries({{ {attempts} }})) {{
      try {{ outcome[name] = String(attempt()); }} catch (error) {{ outcome[name] = String(error); }}
    }}
    export function setup() {{ return outcome; }}
    export default function () {{}}
    """
    async with ScriptHost() as host:
        await host.load(as_files(source, {"data.csv": "a,b\n1,2\n"}), "script.js")
        found: dict[str, str] = json.loads(await host.setup())
        return found


@pytest.mark.parametrize("name", REACHED)
def test_a_script_reaches_nothing_but_the_language_and_the_api(name: str) -> None:
    assert re.search(f"^(?:.*(?:{REACHED[name][1]}).*)$", reached()[name], re.DOTALL), reached()[
        name
    ]


REFUSED = {
    "eval": ("eval('1')", "eval is not available"),
    "eval in disguise": (r"ev\u0061l('typeof $fu')", "without escapes"),
    "import()": ("import('fs')", r"import\(\) is not available"),
    "import.meta": ("print(import.meta)", r"import\.meta is not available"),
    "$fu": ("print($fu)", r"\$fu are reserved"),
    "a name of the engine's": ("let $fuMine = 1;", r"\$fu are reserved"),
    "$fu in disguise": (r"print($f\u0075)", "without escapes"),
    "a module of Node's": ("1; }\nimport fs from 'fs'; {", "there is no module 'fs'"),
    "a file above": ("1; }\nimport x from '../../../etc/x.js'; {", "there is no file"),
    "an absolute file": ("1; }\nimport x from '/etc/x.js'; {", "there is no module '/etc/x.js'"),
    "for await": ("async () => { for await (const x of []); }", "for await is not available"),
}


@table(REFUSED)
def test_what_a_test_may_not_use_is_refused_at_its_line(attempt: str, outcome: str) -> None:
    source = f"export default function () {{ {attempt} }}"
    with pytest.raises(ScriptErrors) as caught:
        compile_script(as_files(source), "script.js")
    problem = caught.value.problems[0]
    assert re.search(outcome, problem.message)
    assert problem.line >= 1


# ---- what is thrown -----------------------------------------------------------------------------

_UNSHOWN = "an error that cannot be shown"

THROWN = {
    "a proxy": ("throw new Proxy({}, new Proxy({}, { get() { throw 1; } }));", _UNSHOWN),
    "a revoked proxy": ("const p = Proxy.revocable({}, {}); p.revoke(); throw p.proxy;", _UNSHOWN),
    "getters that throw": (
        "throw new (class extends Error { get message() { throw this; } get stack() { throw 1; } })();",
        _UNSHOWN,
    ),
    "a message that is a symbol": (
        "const e = new Error(); e.message = Symbol('x'); throw e;",
        _UNSHOWN,
    ),
    "a stack that is an object": (
        "const e = new Error('said'); Object.defineProperty(e, 'stack', { value: {} }); throw e;",
        "Error: said",
    ),
    "hooks for stacks": (
        "Error.prepareStackTrace = () => { throw 1; }; Error.stackTraceLimit = 0; throw new Error('said');",
        r"Error: said \(script.js:",
    ),
    "null": ("throw null;", "Uncaught null"),
    "undefined": ("throw undefined;", "Uncaught undefined"),
    "nothing inherited": ("throw Object.create(null);", r"Uncaught \{\}"),
    "a symbol": ("throw Symbol('s');", r"Symbol\(s\)"),
    "a BigInt": ("throw { a: 1n };", "object that cannot be shown"),
    "a generator": ("throw (function* () { yield 1; })();", "Uncaught"),
    "a function with a hostile name": (
        "const f = () => 1; Object.defineProperty(f, 'name', { get() { throw 1; } }); throw f;",
        _UNSHOWN,
    ),
    "recursion": ("const f = () => f() + 1; f();", "too much recursion"),
    "recursion that waits": ("const f = () => { sleep(0); return f() + 1; }; f();", "recursion"),
    "recursion in toString": (
        "const o = { toString() { return '' + this; } }; '' + o;",
        "recursion",
    ),
    "recursion through proxies": (
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x;",
        "recursion",
    ),
    "nested JSON out": (
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a);",
        "recursion",
    ),
    "a nested pattern": ("new RegExp('('.repeat(1e5) + ')'.repeat(1e5));", "too many parentheses"),
    "a nested program": ("Function('return ' + '('.repeat(1e6));", "recursion|SyntaxError"),
    "a string over the limit": ("'x'.repeat(2 ** 30);", "RangeError|InternalError|allocation"),
    "an array over the limit": ("new Array(2 ** 32);", "RangeError: invalid array length"),
    "a typed array over the limit": ("new Float64Array(2 ** 50);", "RangeError"),
    "a BigInt over the limit": ("1n << (2n ** 40n);", "RangeError|memory"),
    "open() in an iteration": ("open('data.csv');", "only be called in the init code"),
    "a URL that is no URL": ("http.get('file:///etc/passwd');", "http:// or https://"),
    "another scheme": ("http.get('gopher://127.0.0.1/');", "http:// or https://"),
    "a header with a line of its own": (
        "http.get('http://127.0.0.1:9/', { headers: { a: 'b\\r\\nc: d' } });",
        "forbidden character",
    ),
}


@together
async def thrown() -> dict[str, str]:
    attempts = ", ".join(f"() => {{ {body} }}" for body, _ in THROWN.values())
    source = f"""
    const attempts = [{attempts}];
    export default function () {{
      if (__ITER < attempts.length) attempts[__ITER]();
      console.info("the next one runs");
    }}
    """
    lines = await outcome_of(source, iterations=len(THROWN) + 1)
    assert lines[-2:] == ["info: the next one runs", "done"], lines
    return dict(zip(THROWN, lines, strict=False))


@pytest.mark.parametrize("name", THROWN)
def test_whatever_an_iteration_throws_is_one_line_and_the_next_one_runs(name: str) -> None:
    line = thrown()[name]
    assert line.startswith("error: "), line
    assert re.search(THROWN[name][1], line), line


# ---- what never ends, or takes all memory -------------------------------------------------------

_WATCHDOG = r"did not give control back for 0.4 s: is there an endless loop"
_MEMORY = r"out of memory|memory at most|more memory|ran out of memory|allocation"

ENDLESS = {
    "toString": ("print('' + { toString() { for (;;); } });", _WATCHDOG),
    "valueOf": ("sleep({ valueOf() { for (;;); } });", _WATCHDOG),
    "toJSON": ("print({ toJSON() { for (;;); } });", _WATCHDOG),
    "an error's message": (
        "const e = new Error(); Object.defineProperty(e, 'message', { get() { for (;;); } }); throw e;",
        _WATCHDOG,
    ),
    "a trap of a proxy": ("throw new Proxy(new Error(), { get() { for (;;); } });", _WATCHDOG),
    "a generator": (
        "const g = (function* () { for (;;) yield 1; })(); for (const x of g);",
        _WATCHDOG,
    ),
    "a regular expression": ("/^(a+)+$/.test('a'.repeat(40) + 'b');", _WATCHDOG),
    "filling 2^32 places": ("new Array(2 ** 32 - 1).fill(0);", f"{_WATCHDOG}|{_MEMORY}"),
    "looking through 2^53 places": ("[].indexOf.call({ length: 2 ** 53 - 1 }, 1);", _WATCHDOG),
    "a Map": ("const m = new Map(); for (let i = 0; ; i++) m.set(i, i);", f"{_WATCHDOG}|{_MEMORY}"),
    "typed arrays": ("const k = []; for (;;) k.push(new Uint8Array(2 ** 26).fill(1));", _MEMORY),
    "2^31 commas": ("new Array(2 ** 31).join('x');", _MEMORY),
}


@together
async def endless() -> dict[str, list[str]]:
    async def attempt(body: str) -> list[str]:
        async with few:
            return await outcome_of(
                f"export default function () {{ {body} }}",
                memory_limit_bytes=200 * MIB,
                watchdog_seconds=0.4,
            )

    few = asyncio.Semaphore(3)
    outcomes = await asyncio.gather(*(attempt(body) for body, _ in ENDLESS.values()))
    return dict(zip(ENDLESS, outcomes, strict=True))


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_ends_its_own_test_with_the_reason(name: str) -> None:
    lines = endless()[name]
    assert re.search(ENDLESS[name][1], "\n".join(lines)), lines


@pytest.mark.parametrize(
    "body",
    [
        "(function again() { Promise.resolve().then(again); })(); sleep(0.1);",
        "(async () => { for (;;) await { then: (done) => done() }; })(); sleep(0.1);",
    ],
)
async def test_endless_promises_neither_hold_up_the_engine_nor_outlive_the_test(body: str) -> None:
    async with ScriptHost(watchdog_seconds=1.0) as host:
        await host.load(
            as_files(
                f"export const options = {{ gracefulStop: '0s' }};\n"
                f"export default function () {{ {body} }}"
            ),
            "script.js",
            overrides=Overrides(workers=1, duration_seconds=0.5),
        )
        # Some run through in one go, and are ended; others leave turns for the rest.
        with contextlib.suppress(ScriptHostDied):
            async for _ in host.run(time.time(), Share(), "null"):
                pass
        pid = host.pid
    assert not psutil.pid_exists(pid)


# ---- what is built in, changed ------------------------------------------------------------------

_THROW = "function () { throw new Error('polluted'); }"
_LIKELY = (
    r"(polluted|is not (a function|iterable|defined)|.*) ?.*If the script changes what is built in"
)


def _all_of(owner: str, change: str) -> str:
    return (
        f"for (const name of Object.getOwnPropertyNames({owner})) {{"
        f"  if (name !== 'constructor') try {{ ({owner})[name] = {change}; }} catch {{}} }}"
    )


CHANGED = {
    "Array.prototype throws": (_all_of("Array.prototype", _THROW), "polluted"),
    "Array.prototype lies": (
        _all_of("Array.prototype", "() => ({ length: 1e9 })"),
        f"no default export|{_LIKELY}",
    ),
    "String.prototype": (_all_of("String.prototype", _THROW), "polluted"),
    "RegExp.prototype": (_all_of("RegExp.prototype", _THROW), "polluted"),
    "Symbol.replace": (
        f"for (const s of ['replace', 'match', 'split']) RegExp.prototype[Symbol[s]] = {_THROW};",
        "polluted|not a valid URL",
    ),
    "Map.prototype": (_all_of("Map.prototype", _THROW), "polluted"),
    "Promise.prototype.then": (
        "Promise.prototype.then = function (f) { f?.(7); return this; };",
        "^done$",
    ),
    "Function.prototype": (_all_of("Function.prototype", _THROW), "^done$"),
    "Object": (_all_of("Object", _THROW), f"polluted|{_LIKELY}"),
    "JSON": (_all_of("JSON", _THROW), "polluted|^done$"),
    "Symbol.iterator": (f"Array.prototype[Symbol.iterator] = {_THROW};", "polluted"),
    "setters of Object.prototype": (
        "for (const name of ['0', 'owner', 'slot', 'top', 'scenario', 'tags', 'entry', 'default'])"
        f"  Object.defineProperty(Object.prototype, name, {{ set: {_THROW}, get: {_THROW} }});",
        "polluted",
    ),
    "values of Object.prototype": (
        "for (const name of ['length', 'then', 'done', 'value', 'headers', 'ended', 'parts'])"
        "  Object.defineProperty(Object.prototype, name, { value: 'evil', writable: true });",
        "done|evil",
    ),
    "toJSON of Object.prototype": (
        "Object.prototype.toJSON = () => 'evil';",
        f"options: must be an object|{_LIKELY}|done",
    ),
    "every global gone": (
        "for (const n of Object.getOwnPropertyNames(globalThis)) Reflect.deleteProperty(globalThis, n);",
        f"{_LIKELY}|is not defined",
    ),
    "everything frozen": (
        "for (const c of [Object, Array, Promise, Map, Set, String, RegExp, Function, Error])"
        "  { Object.freeze(c.prototype); Object.freeze(c); }",
        "^done$",
    ),
}

_BUSY = """
export function setup() { return { a: [1, { b: 2 }] }; }
export default function (data) {
  group("g", () => sleep(0.001));
  const response = http.get("http://127.0.0.1:9/a?x=1", { headers: { A: "b" }, tags: { t: "1" } });
  http.post("http://127.0.0.1:9/", { a: 1 });
  http.batch([["GET", "http://127.0.0.1:9/"], "http://127.0.0.1:9/b"]);
  check(response, { refused: (r) => r.status === 0 });
  metrics.counterAdd("c", 1, { q: "w" });
  [1, 2].map((x) => { sleep(0.001); return x; });
  (async () => { await null; sleep(0.001); })();
  print("ran", crypto.md5("a"), data.a[1].b);
}
"""


@together
async def changed() -> dict[str, list[str]]:
    async def attempt(change: str) -> list[str]:
        async with few:
            return await outcome_of(change + _BUSY)

    few = asyncio.Semaphore(3)
    outcomes = await asyncio.gather(*(attempt(change) for change, _ in CHANGED.values()))
    return dict(zip(CHANGED, outcomes, strict=True))


@pytest.mark.parametrize("name", CHANGED)
def test_changes_of_what_is_built_in_spoil_that_test_at_most(name: str) -> None:
    lines = changed()[name]
    assert re.search(CHANGED[name][1], "\n".join(lines), re.MULTILINE), lines
    assert not any("SIG" in line or "unexpectedly" in line for line in lines), lines


# Wraps every function that is built in, and puts setters and getters for the runtime's own names
# on the prototypes: notes whatever array buffer passes through that the script has not made.
_WRAP = """
const { apply, ownKeys, construct } = Reflect;
const { getPrototypeOf, getOwnPropertyDescriptor, defineProperty, setPrototypeOf } = Object;
const bufferOf = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), "buffer").get;
const sizeOf = getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get;
let seen = "";
let passed = 0;
function note(value) {
  passed++;
  if (typeof value !== "object" || value === null) return;
  let buffer = value;
  try { buffer = apply(bufferOf, value, []); } catch {}
  let size = 0;
  try { size = apply(sizeOf, buffer, []); } catch { return; }
  if (getPrototypeOf(value) === Float64Array.prototype || size >= 32768) seen += ` ${size}`;
}
function wrap(owner, key) {
  const property = getOwnPropertyDescriptor(owner, key);
  setPrototypeOf(property, null);
  if (!property.configurable) return;
  for (const part of ["value", "get", "set"]) {
    const original = property[part];
    if (typeof original !== "function" || original.prototype) continue;
    property[part] = function (...given) {
      note(this);
      for (let i = 0; i < given.length; i++) {
        note(given[i]);
        if (typeof given[i] === "object" && given[i] !== null) note(given[i][0]);
      }
      const result = apply(original, this, given);
      note(result);
      return result;
    };
  }
  defineProperty(owner, key, property);
}
const WRAPPED = [Object, Function, Array, String, RegExp, Map, Set, WeakMap, WeakSet, Promise, Date,
  Number, Error, Symbol, ArrayBuffer, DataView, Iterator, Uint8Array, Uint16Array, Float64Array,
  getPrototypeOf(Uint8Array)];
for (const owner of [JSON, Math, Reflect, ...WRAPPED, ...WRAPPED.map((c) => c.prototype)]) {
  for (const key of ownKeys(owner)) if (key !== "constructor") wrap(owner, key);
}
const NAMES = ("control completions wakes commands inBytes operations values outBytes scenarios " +
  "exchange operation putText putBytes takeBytes decode owner onEnd slot top stack ended parts " +
  "scenario index iteration begun context state jar coroutine spawned ending workers idle entry " +
  "current template series tags cookies body headers parsed wakeEngine buffer raw 0 1 2 100").split(" ");
for (const prototype of [Object.prototype, Array.prototype, Function.prototype]) {
  for (const name of NAMES) {
    if (getOwnPropertyDescriptor(prototype, name)) continue;
    defineProperty(prototype, name, {
      __proto__: null,
      configurable: true,
      get() { note(this); return undefined; },
      set(value) {
        note(this);
        note(value);
        defineProperty(this, name,
          { __proto__: null, value, writable: true, configurable: true, enumerable: true });
      },
    });
  }
}
export default function () {
  const response = http.post("http://127.0.0.1:9/", "é".repeat(100000));
  for (let i = 0; i < 5; i++) http.get("http://127.0.0.1:9/" + "é".repeat(9000) + i);
  http.batch(["http://127.0.0.1:9/"]);
  check(response, { refused: () => true });
  for (let i = 0; i < 5000; i++) metrics.histogramAdd("h", i, { a: "b" });
  crypto.md5("a");
  console.log("é".repeat(3000));
  sleep(0.001);
  print(`passed: ${passed > 1000}; seen:${seen}`);
}
"""


async def test_no_array_of_the_exchange_ever_passes_through_a_script() -> None:
    lines = await outcome_of(_WRAP, iterations=2)
    assert lines[-1] == "done", lines
    assert [line for line in lines if "passed" in line] == ["info: passed: true; seen:"] * 2


async def test_a_body_that_lies_about_its_length_sends_what_it_has() -> None:
    lines = await outcome_of(
        "export default function () {"
        "  const bytes = new Uint8Array(3); Object.defineProperty(bytes, 'length', { value: 1e9 });"
        "  print(http.post('http://127.0.0.1:9/', bytes).status); }",
        memory_limit_bytes=200 * MIB,
    )
    assert lines == ["info: 0", "done"]


# ---- options ------------------------------------------------------------------------------------

OPTIONS = {
    "a getter that throws": ("{ get workers() { throw new Error('no'); } }", "Error: no"),
    "a proxy": ("new Proxy({}, { ownKeys() { throw new Error('trap'); } })", "Error: trap"),
    "a circle": ("(() => { const o = {}; o.o = o; return o; })()", "cyclic object value"),
    "toJSON that gives nothing": ("{ toJSON() {} }", "options: must be an object"),
    "a function": ("() => 1", "options: must be an object"),
    "__proto__": ('JSON.parse(\'{"__proto__": {"workers": 7}}\')', "^done$"),
    "endless": ("{ get workers() { for (;;); } }", "init code did not end within 1 s"),
}


@together
async def optioned() -> dict[str, str]:
    async def attempt(options: str) -> str:
        async with few, ScriptHost() as host:
            source = f"export const options = {options};\nexport default function () {{}}"
            try:
                await host.load(as_files(source), "script.js", timeout_seconds=1.0)
            except (InvalidScript, ScriptFailed) as error:
                return str(error)
            return "done"

    few = asyncio.Semaphore(2)
    outcomes = await asyncio.gather(*(attempt(options) for options, _ in OPTIONS.values()))
    return dict(zip(OPTIONS, outcomes, strict=True))


@pytest.mark.parametrize("name", OPTIONS)
def test_hostile_options_are_an_error_of_the_script(name: str) -> None:
    assert re.search(OPTIONS[name][1], optioned()[name]), optioned()[name]


async def test_whatever_json_setup_returns_arrives_as_it_was() -> None:
    # Python's json would give up on the nesting, and UTF-8 on half of a surrogate pair.
    lines = await outcome_of(
        "export function setup() {"
        "  let nested = {}; for (let i = 0; i < 2000; i++) nested = { nested };"
        "  return { nested, half: '\\ud800' }; }"
        "export default function (data) {"
        "  let depth = 0; for (let at = data.nested; at.nested; at = at.nested) depth++;"
        "  print(depth, data.half.charCodeAt(0)); }"
    )
    assert lines == ["info: 2000 55296", "done"]


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("new Error('lost')", r"Uncaught \(in promise\) .*lost"),
        ("() => 1", r"Uncaught \(in promise\) <[^0]*>$"),
        # pythonmonkey crashes for what it cannot convert: that ends this test, and says why.
        ("Symbol('s')", r"rejected with a symbol|Uncaught \(in promise\)"),
    ],
)
async def test_a_promise_that_nobody_handles_is_told_without_addresses(
    reason: str, outcome: str
) -> None:
    lines = await outcome_of(
        f"export default function () {{ Promise.reject({reason}); sleep(0.05); }}"
    )
    assert any(re.search(outcome, line) for line in lines), lines
