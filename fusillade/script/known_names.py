"""The names that a script finds without declaring them; runtime/globals.js puts them there."""

import difflib

_LANGUAGE = """
    undefined Function Object eval Array globalThis Boolean JSON Date Math isNaN isFinite
    parseInt parseFloat NaN Infinity Number escape unescape decodeURI encodeURI
    decodeURIComponent encodeURIComponent String RegExp Error AggregateError EvalError
    RangeError ReferenceError SyntaxError TypeError URIError ArrayBuffer Int8Array
    Uint8Array Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array
    Float16Array Uint8ClampedArray BigInt64Array BigUint64Array BigInt Proxy WeakMap Map Set
    DataView Symbol Intl Reflect WeakSet Promise WeakRef FinalizationRegistry Iterator
    InternalError
"""
_SCRIPT_API = """
    http ws sse check assertion sleep sleepRandom group segment fail print console FormData
    SharedArray SharedCSV crypto describe encoding expect metrics open stats test utils
    GrpcClient JsMqttClient JsAmqpClient chromium
    __ENV __VU __WORKER_ID __ITER __ITERATION __SCENARIO __WORKER_STATE
"""
LANGUAGE = frozenset(_LANGUAGE.split())
"""Of ECMAScript."""

SCRIPT_API = frozenset(_SCRIPT_API.split())
"""Of SCRIPT_API."""

KNOWN = LANGUAGE | SCRIPT_API | {"arguments"}


def unknown(name: str) -> str:
    """What to say of a name that nobody has declared."""
    close = difflib.get_close_matches(name, sorted(SCRIPT_API), n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"'{name}' is not defined: neither the script nor Fusillade has that name{hint}"
