"""What the check of a schedule's script has found, kept until the schedule fires.

The same script gives the same result, so that a thousand schedules that are due at once do not
start a thousand script hosts. It is checked again when the script, the workers, the duration or
Fusillade itself is another than before.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from fusillade import __version__
from fusillade.creation import Plan
from fusillade.hosting.messages import Loaded


def kept(plan: Plan, loaded: Loaded) -> dict[str, Any]:
    """As it is stored with the schedule."""
    return {"of": _fingerprint(plan), "loaded": msgspec.to_builtins(loaded)}


def of(plan: Plan, stored: Mapping[str, Any] | None) -> Loaded | None:
    """What is stored, if it is of this very plan."""
    if stored is None or stored.get("of") != _fingerprint(plan):
        return None
    try:
        return msgspec.convert(stored.get("loaded"), Loaded)
    except msgspec.ValidationError:
        return None  # written by a Fusillade that called itself the same


def _fingerprint(plan: Plan) -> str:
    whole = (
        __version__,
        sorted(plan.files.items()),
        plan.entry,
        sorted(plan.env.items()),
        plan.workers,
        plan.duration_seconds,
    )
    return hashlib.sha256(msgspec.msgpack.encode(whole)).hexdigest()
