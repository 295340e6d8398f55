"""What an organisation may use at most."""

from dataclasses import dataclass

from fusillade.settings import Settings
from fusillade.storage.models import Organisation


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one organisation. Times in seconds, sizes in bytes."""

    workers: int
    duration_seconds: int
    regions: tuple[str, ...]
    templates: int
    schedules: int
    script_bytes: int


def limits_of(organisation: Organisation, settings: Settings) -> Limits:
    """The limits that the organisation's plan sets."""
    return Limits(
        workers=settings.max_workers,
        duration_seconds=settings.max_duration_seconds,
        regions=tuple(settings.regions),
        templates=settings.max_templates,
        schedules=settings.max_schedules,
        script_bytes=settings.max_script_bytes,
    )
