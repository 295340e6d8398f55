"""What is known of one finished HTTP request: a row of numbers."""

REQUEST_COLUMNS = (
    "series",
    "status",
    "error",
    "duration",
    "blocked",
    "connecting",
    "tls_handshaking",
    "sending",
    "waiting",
    "receiving",
    "bytes_sent",
    "bytes_received",
    "reused",
)
"""Columns of a float64 array of shape (n, 13): ``series`` as defined by
``Recorder.define_series``; ``status`` 0 for a network error; ``error`` an index into
``ERROR_CODES``; times in milliseconds; ``reused`` 1.0 if the connection had been used before, 0.0
if it was new, ``NO_CONNECTION`` if the request was not sent."""

NO_CONNECTION = -1.0

ERROR_CODES = (
    "",
    "ETIMEDOUT",
    "ENOTFOUND",
    "ECERT",
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "ENETWORK",
    "SIMULATED",
    "EBLOCKED",
)

PHASES = ("blocked", "connecting", "tls_handshaking", "sending", "waiting", "receiving")
"""The phases of a request that have histograms of their own besides ``duration``."""


def metric_of(phase: str) -> str:
    """The metric's name for a phase: ``http_req_blocked`` for ``blocked``."""
    return f"http_req_{phase}"
