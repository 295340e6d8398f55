"""What a run needs to know of the platform's settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fusillade.blocklist import Rules, rules

if TYPE_CHECKING:
    from fusillade.posts import Capacity
    from fusillade.settings import Settings


@dataclass(frozen=True)
class RunConfig:
    """Given to a TestRunActor when it is created. Only ``hosts`` goes on to WorkerActors."""

    database_url: str
    capacity: "Capacity"
    relay_from: int
    provisioning_seconds: float
    hopeless_seconds: float
    ready_seconds: float
    pause_seconds: float
    spare_processes: int
    journals: Path
    """On the head node: a directory for each test that has not ended, with what it measured."""
    hosts: "HostConfig"

    @classmethod
    def of(cls, settings: "Settings") -> "RunConfig":
        """The part of the settings that concerns runs."""
        from fusillade.posts import Capacity  # of a WorkerActor's start it would be the most part

        assert settings.database_url is not None
        return cls(
            database_url=settings.database_url,
            capacity=Capacity.of(settings),
            relay_from=settings.relay_from,
            provisioning_seconds=settings.provisioning_seconds,
            hopeless_seconds=settings.hopeless_seconds,
            ready_seconds=settings.ready_seconds,
            pause_seconds=settings.pause_seconds,
            spare_processes=settings.spare_processes,
            journals=settings.data_dir.expanduser().absolute() / "runs",
            hosts=HostConfig(
                memory_bytes=settings.host_memory_bytes,
                watchdog_seconds=settings.watchdog_seconds,
                blocked=rules(
                    settings.blocked_domains, allow_private=settings.allow_private_targets
                ),
                watching=Watching.of(settings),
            ),
        )


@dataclass(frozen=True)
class Watching:
    """How an actor is watched."""

    log_format: str = "text"
    otlp_endpoint: str | None = None

    @classmethod
    def of(cls, settings: "Settings") -> "Watching":
        """The part of the settings that concerns it."""
        return cls(settings.log_format, settings.otlp_endpoint)


@dataclass(frozen=True)
class HostConfig:
    """Limits of a script host."""

    memory_bytes: int
    watchdog_seconds: float
    blocked: Rules
    watching: Watching = Watching()
    """Of the actors of a test."""
