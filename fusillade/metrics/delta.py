"""What a script host tells of one second: histograms and counts, and of single requests no more
than a few that failed.

Its size depends on how many series and buckets there are, not on the request rate. Names of
series are encoded by themselves, so that who merges deltas decodes each name once and not once a
second.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from fusillade.failures.record import FailedRequest
from fusillade.metrics.packed import Packed
from fusillade.metrics.strain import Pressure

Tags = dict[str, str]
_Position = Annotated[int, msgspec.Meta(ge=0)]


class Requests(msgspec.Struct, array_like=True, frozen=True):
    """n series of requests that share all tags (name, method, scenario, group, the author's)."""

    tags: list[bytes]
    """By :func:`encode_tags`."""
    duration: Packed
    sums: bytes
    """float64, shape (n, 5): failed (status 0 or 400 and above), bytes sent, bytes received,
    requests on reused connections, on new ones."""
    statuses: list[tuple[_Position, int, int]]
    """Series (0 for the first), status, how many."""
    errors: list[tuple[_Position, str, int]]
    """Series, error code such as ``ECONNREFUSED``, how many."""


class Name(msgspec.Struct, array_like=True, frozen=True):
    """What tells metrics that are not a request's apart."""

    metric: str
    kind: str
    """``histogram``, ``gauge``, ``rate``, ``counter``, ``check``; ``phase`` for a phase of all
    requests of a scenario."""
    tags: Tags


class Values(msgspec.Struct, array_like=True, frozen=True):
    """n histograms of phases and metrics; of a rate, 1 for each success and 0 for each failure."""

    names: list[bytes]
    """By :func:`encode_name`."""
    values: Packed
    last: list[float]


class CheckDelta(msgspec.Struct, array_like=True, frozen=True):
    """One check in one group and scenario."""

    name: bytes
    passes: int
    fails: int


class CounterDelta(msgspec.Struct, array_like=True, frozen=True):
    """How much a counter grew."""

    name: bytes
    amount: float


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
    requests: Requests
    values: Values
    checks: list[CheckDelta]
    counters: list[CounterDelta]
    pressure: Pressure = Pressure()
    failures: list[FailedRequest] = []
    """New ones of the host's sample: the only single requests that are told of."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Delta)
_tags_decoder = msgspec.msgpack.Decoder(Tags)
_name_decoder = msgspec.msgpack.Decoder(Name)


def encode(delta: Delta) -> bytes:
    """MessagePack, as ``Recorder.take_delta`` gives it and ``Aggregate.merge`` takes it."""
    return _encoder.encode(delta)


def decode(payload: bytes) -> Delta:
    """The reverse of :func:`encode`. Raises ``msgspec.MsgspecError`` for anything else."""
    return _decoder.decode(payload)


def encode_tags(tags: Mapping[str, str]) -> bytes:
    """The same bytes for the same tags, in whatever order they were given."""
    return _encoder.encode(dict(sorted(tags.items())))


def decode_tags(encoded: bytes) -> Tags:
    """The reverse of :func:`encode_tags`. Raises ``msgspec.MsgspecError``."""
    return _tags_decoder.decode(encoded)


def encode_name(metric: str, kind: str, tags: Mapping[str, str]) -> bytes:
    """The same bytes for the same name, in whatever order the tags were given."""
    return _encoder.encode(Name(metric, kind, dict(sorted(tags.items()))))


def decode_name(encoded: bytes) -> Name:
    """The reverse of :func:`encode_name`. Raises ``msgspec.MsgspecError``."""
    return _name_decoder.decode(encoded)
