"""Which functions of SCRIPT_API wait, and where JavaScript cannot wait."""

HTTP_METHODS = (
    "get",
    "head",
    "options",
    "del",
    "post",
    "put",
    "patch",
    "request",
    "batch",
    "graphql",
)

NAMESPACES = {"http": HTTP_METHODS, "ws": ("connect",), "sse": ("connect",)}
"""Objects of SCRIPT_API -> their methods that wait."""

WAITING = frozenset(
    (
        "sleep",
        "sleepRandom",
        *(f"{name}.{method}" for name, methods in NAMESPACES.items() for method in methods),
    )
)
"""Builtins that wait whenever they are called."""

CONNECTING = frozenset(("ws", "sse"))
METHODS_OF_CONNECTIONS = frozenset(("recv", "send", "sendBinary"))
"""What the objects have that come out of ``CONNECTING``: these methods may wait."""

TAKING_CALLBACKS = frozenset(("check", "assertion", "group", "segment", "describe", "test"))
"""Builtins that wait if a function that they are given does."""

GLOBALS = frozenset((*TAKING_CALLBACKS, "sleep", "sleepRandom", *NAMESPACES))
"""Globals of SCRIPT_API that the analysis knows by name."""

UNAVAILABLE = {
    "GrpcClient": "gRPC",
    "JsMqttClient": "MQTT",
    "JsAmqpClient": "AMQP",
    "chromium": "a browser",
}
"""Globals of SCRIPT_API that are not there yet -> what they are for."""

MODULES: dict[str, dict[str, str]] = {
    "k6": {"sleep": "sleep", "check": "check", "group": "group", "fail": "fail"},
    "k6/http": {
        "default": "http",
        "*": "http",
        **{method: f"http.{method}" for method in HTTP_METHODS},
        "url": "http.url",
        "file": "http.file",
        "cookieJar": "http.cookieJar",
    },
    "k6/crypto": {},
    "k6/data": {},
    "k6/encoding": {},
    "k6/html": {},
    "k6/metrics": {},
}
"""Modules that may be imported by name -> exported name -> builtin."""

ARRAY_METHODS = frozenset(
    (
        "every",
        "filter",
        "find",
        "findIndex",
        "findLast",
        "findLastIndex",
        "flatMap",
        "forEach",
        "map",
        "reduce",
        "reduceRight",
        "some",
    )
)
"""Methods with versions in support.js that wait for their callback."""

CALLBACK_CANNOT_WAIT = {
    "sort": "the comparator of sort()",
    "toSorted": "the comparator of toSorted()",
    "replace": "the callback of replace()",
    "replaceAll": "the callback of replaceAll()",
    "parse": "the callback of JSON.parse()",
    "stringify": "the callback of JSON.stringify()",
    "then": "the callback of then(); use await instead",
    "catch": "the callback of catch(); use try and await instead",
    "finally": "the callback of finally(); use try and await instead",
}
"""Methods of the language that call a function themselves, where it cannot be suspended."""

CONSTRUCTOR_CALLBACKS = {
    "Promise": "the executor of a Promise; use an async function instead",
    "SharedArray": "the function of a SharedArray, which runs in the init code",
    "Proxy": "a trap of a Proxy",
}

CALLED_BY_THE_LANGUAGE = frozenset(("toString", "valueOf", "toJSON", "then"))
"""Methods that JavaScript calls by itself."""

_METHODS_OF_VALUES = """
    at charAt charCodeAt codePointAt concat copyWithin endsWith entries fill flat from includes
    indexOf isArray join keys lastIndexOf localeCompare match matchAll normalize of padEnd padStart
    pop push repeat replace replaceAll reverse search shift slice sort splice split startsWith
    substr substring toFixed toLowerCase toPrecision toReversed toSorted toSpliced toUpperCase trim
    trimEnd trimStart unshift values with
    add assign catch clear create defineProperty deleteProperty exec finally freeze fromEntries
    getDate getDay getFullYear getHours getMilliseconds getMinutes getMonth getSeconds getTime
    hasOwn hasOwnProperty test then toISOString toJSON toLocaleDateString toLocaleString
    toLocaleTimeString toString valueOf
"""
_METHODS_OF_SCRIPT_API = """
    addHook append b64decode b64encode basicAuth bearerToken body bodyContains bodyMatches
    clearHooks contentType cookieJar cookiesForUrl counterAdd debug error formEncode gaugeSet
    hasHeader histogramAdd html info isJson json log matchesSchema md5 rateAdd setDefaults sha1
    sha256 table toBe toBeTruthy toEqual warn
"""
LANGUAGE_METHODS = frozenset((_METHODS_OF_VALUES + _METHODS_OF_SCRIPT_API).split())
"""Methods of the language and of SCRIPT_API that never wait. A script's own function under such a
name is found by that name; only one that gets there by a computed key is not."""
