"""What a script host tells of one second: histograms and counts, never single requests.

Its size depends on how many series and buckets there are, not on the request rate.
"""

import msgspec

from fusillade.metrics.histogram import Encoded

Tags = dict[str, str]


class SeriesDelta(msgspec.Struct, array_like=True, frozen=True):
    """Requests that share all tags (name, method, scenario, group, and the author's)."""

    tags: Tags
    duration: Encoded
    failed: int
    """Requests with status 0 or 400 and above."""
    statuses: dict[int, int]
    errors: dict[str, int]
    """By error code, such as ``ECONNREFUSED``."""
    bytes_sent: int
    bytes_received: int
    reused_connections: int
    new_connections: int


class PhaseDelta(msgspec.Struct, array_like=True, frozen=True):
    """One phase of all requests of a scenario."""

    phase: str
    scenario: str
    values: Encoded


class CheckDelta(msgspec.Struct, array_like=True, frozen=True):
    """One check in one group and scenario."""

    name: str
    tags: Tags
    passes: int
    fails: int


class CounterDelta(msgspec.Struct, array_like=True, frozen=True):
    """How much a counter grew."""

    metric: str
    tags: Tags
    amount: float


class ValueDelta(msgspec.Struct, array_like=True, frozen=True):
    """Values of a histogram or gauge; of a rate, 1 for each success and 0 for each failure."""

    metric: str
    kind: str
    tags: Tags
    values: Encoded
    last: float


class Delta(msgspec.Struct, array_like=True, frozen=True):
    """All that one host measured in one second."""

    number: int
    """Counts from 1 without gaps."""
    second: int
    """Whole seconds since the run's shared start."""
    seconds: float
    """How long it really covers."""
    active_workers: dict[str, int]
    """By scenario: workers in the middle of an iteration at its end."""
    series: list[SeriesDelta]
    phases: list[PhaseDelta]
    checks: list[CheckDelta]
    counters: list[CounterDelta]
    values: list[ValueDelta]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Delta)


def encode(delta: Delta) -> bytes:
    """MessagePack, as ``Recorder.take_delta`` gives it and ``Aggregate.merge`` takes it."""
    return _encoder.encode(delta)


def decode(payload: bytes) -> Delta:
    """The reverse of :func:`encode`. Raises ``msgspec.MsgspecError`` for anything else."""
    return _decoder.decode(payload)
