"""What a script host and its parent say to each other, over a socket pair.

Each message is a 4-byte big-endian length and that many bytes of MessagePack: a tagged union of
the structs below. The parent trusts nothing in it beyond its type: a host that sends anything
else is ended.
"""

from typing import Any

import msgspec

from fusillade.blocklist import Rules
from fusillade.engine.share import Share
from fusillade.engine.takeover import Takeover


class Message(msgspec.Struct, tag=True, kw_only=True, omit_defaults=True):
    """Base of all messages; the tag is the class name."""


# ---- parent -> host -------------------------------------------------------------------------


class Overrides(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fields of the API call or command line; they win over the script's ``options``."""

    workers: int | None = None
    duration_seconds: float | None = None
    iterations: int | None = None


class Load(Message):
    """Compile and evaluate the test. Answered by ``Loaded`` or ``Rejected``."""

    files: dict[str, bytes]
    """Path inside the test -> content."""
    entry: str
    env: dict[str, str] = {}
    overrides: Overrides = Overrides()
    blocked: Rules | None = None
    """Where its requests may not go; None: anywhere."""


class Setup(Message):
    """Run ``setup()``. Answered by ``SetupDone`` or ``Failed``."""


class Warm(Message):
    """Open the connections that a share of the load will need, by the option ``warmup``. Answered
    by ``Warmed``."""

    share: Share = Share()


class Run(Message):
    """Start this host's share of the load. Answered by ``Delta`` each second, then ``Finished``."""

    start_at: float
    """Unix time, shared by all hosts of the test."""
    share: Share = Share()
    setup_data: str = "null"
    """JSON, as ``SetupDone`` carried it."""
    takeover: Takeover = Takeover()


class Stop(Message):
    """End the load early: no new iterations; those under way get ``grace_seconds``."""

    grace_seconds: float = 30.0


class Pause(Message):
    """Begin no iterations from ``at`` (Unix time) on; ``paused_seconds`` is the length of all
    pauses before."""

    at: float
    paused_seconds: float


class Resume(Message):
    """Go on at ``at`` (Unix time), by when all pauses together were ``paused_seconds`` long."""

    at: float
    paused_seconds: float


class Teardown(Message):
    """Run ``teardown(data)``. Answered by ``TeardownDone`` or ``Failed``."""

    setup_data: str = "null"


class Call(Message):
    """Run an exported function once. Answered by ``Called`` or ``Failed``."""

    function: str
    setup_data: str = "null"


class Summarize(Message):
    """Run ``handleSummary(data)`` on the result of the whole test. Answered by ``Summarized`` or
    ``Failed``."""

    summary: dict[str, Any]
    """A ``fusillade.metrics.summary.Summary`` in builtin types."""


class Shutdown(Message):
    """Exit at once."""


# ---- host -> parent -------------------------------------------------------------------------


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong with a script. Lines and columns count from 1, as the author wrote them."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    severity: str = "error"
    """``error`` or ``warning``."""


class PlannedScenario(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one scenario will do, with the overrides applied."""

    name: str
    exec: str
    executor: str
    load: str
    """The load model in words: ``10 workers for 30s``."""
    workers: int
    """The most at once."""
    start_seconds: float = 0.0
    duration_seconds: float
    grace_seconds: float
    iterations: int | None = None
    """How many in all; None where only time ends it."""


class Beat(Message):
    """Sent every 250 ms by the host's event loop: its absence means that the script hogs it."""

    active_workers: int = 0
    requests_per_second: float = 0.0
    """Of the last second of the load."""
    cpu_share: float = 0.0
    """Of one core, over the last second."""
    loop_lag_seconds: float = 0.0
    overloaded: bool = False
    """Whether it cannot keep up, and has not for some seconds."""


class Started(Message):
    """The host's first message: what it has given up, and is ready to load a script."""

    measures: dict[str, str]
    """In force: name -> what it does, in words."""
    left_out: dict[str, str] = {}
    """What this system does not allow: name -> why, in words."""

    def in_words(self) -> str:
        """All of it in one line, for a log."""
        parts = [f"{name} ({words})" for name, words in self.measures.items()]
        parts += [f"without {name} ({reason})" for name, reason in self.left_out.items()]
        return ", ".join(parts)


class Loaded(Message):
    """The script compiled and its top level ran."""

    options: dict[str, Any]
    """The script's options as JSON, validated, with the overrides applied."""
    duration_seconds: float
    """Longest way through all scenarios, start times included, grace excluded."""
    workers: int
    """The most workers that the plan can have at once."""
    exports: list[str]
    warnings: list[Problem] = []
    target_urls: list[str] = []
    """Origins (``https://host:port``) found in the script's string literals."""
    scenarios: list[PlannedScenario] = []


class Rejected(Message):
    """The script cannot run: syntax, options, or an error at its top level."""

    problems: list[Problem]


class SetupDone(Message):
    """``setup()`` returned; ``data`` is its JSON."""

    data: str


class Warmed(Message):
    """The connections are open, as far as the target let us; a ``Log`` tells of failures."""


class Called(Message):
    """The function returned; ``data`` is its JSON."""

    data: str
    metrics: bytes
    """What was measured so far, as the payload of a ``Delta``."""


class TeardownDone(Message):
    """``teardown()`` returned, or there is none."""


class Summarized(Message):
    """``handleSummary()`` returned, or there is none; ``output`` is its JSON."""

    output: str


class Delta(Message):
    """Metrics of one second, numbered from 1 without gaps, encoded by ``fusillade.metrics``."""

    number: int
    payload: bytes


class Log(Message):
    """A line that the script printed, or a warning about it."""

    level: str
    text: str
    worker: int = -1


class Finished(Message):
    """The share of the load is over and its last ``Delta`` has been sent."""


class Failed(Message):
    """The script failed as a whole (``setup``, ``teardown``, or the host itself)."""

    reason: str
    problems: list[Problem] = []


ToHost = Load | Setup | Warm | Run | Stop | Pause | Resume | Call | Teardown | Summarize | Shutdown
FromHost = (
    Started
    | Beat
    | Loaded
    | Rejected
    | SetupDone
    | Warmed
    | Called
    | TeardownDone
    | Summarized
    | Delta
    | Log
    | Finished
    | Failed
)
