"""What an organisation may use at most, by its plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fusillade.errors import InternalError, ScriptTooLarge
from fusillade.script.archive import MODULE_SUFFIXES
from fusillade.settings import Settings
from fusillade.storage.models import Organisation

_TIERS: dict[str, dict[str, Any]] = {
    "free": {
        "monthly_minutes": 100,
        "workers": 50,
        "duration_seconds": 5 * 60,
        "templates": 3,
        "schedules": 1,
        "script_bytes": 256 << 10,
    },
    "pro": {
        "monthly_minutes": 2_000,
        "workers": 1_000,
        "duration_seconds": 3600,
        "templates": 25,
        "schedules": 10,
    },
    "team": {
        "monthly_minutes": 10_000,
        "workers": 10_000,
        "duration_seconds": 4 * 3600,
        "templates": 100,
        "schedules": 50,
    },
    "enterprise": {"templates": 1_000, "schedules": 1_000},
    "self-hosted": {},
}
"""What each tier has instead of what the settings allow on the whole platform."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one organisation. Times in seconds, sizes in bytes."""

    plan: str
    monthly_minutes: int | None
    """Of all tests in one month (UTC) together; None for as many as they like."""
    workers: int
    duration_seconds: int
    regions: tuple[str, ...]
    templates: int
    schedules: int
    script_bytes: int
    """Of each module of a test."""


def limits_of(organisation: Organisation, settings: Settings) -> Limits:
    """The limits that the organisation's plan sets.

    A plan that only the settings know has the limits of ``self-hosted`` where they say nothing.
    """
    name = organisation.plan
    if name not in _TIERS and name not in settings.plans:
        raise InternalError(f"The platform's settings say nothing of the plan {name}.")
    values = dict(_TIERS.get(name, {}))
    if name == "free":
        values["regions"] = (settings.default_region,)
    if name in settings.plans:
        values |= settings.plans[name].model_dump(exclude_unset=True)
    limits = replace(_whole_platform(name, settings), **values)
    # Longer bodies are refused before anybody knows whose they are.
    return replace(limits, script_bytes=min(limits.script_bytes, settings.max_script_bytes))


def _whole_platform(name: str, settings: Settings) -> Limits:
    return Limits(
        plan=name,
        monthly_minutes=None,
        workers=settings.max_workers,
        duration_seconds=settings.max_duration_seconds,
        regions=tuple(settings.regions),
        templates=settings.max_templates,
        schedules=settings.max_schedules,
        script_bytes=settings.max_script_bytes,
    )


def check_script_size(files: Mapping[str, bytes], entry: str, limits: Limits) -> None:
    """Raises :class:`ScriptTooLarge` if a module of a test is longer than the plan allows."""
    for path, content in files.items():
        if (path == entry or path.endswith(MODULE_SUFFIXES)) and len(content) > limits.script_bytes:
            raise ScriptTooLarge(
                "Script size limit exceeded. Your plan allows up to "
                f"{limits.script_bytes:,} bytes; {path} has {len(content):,}."
            )
