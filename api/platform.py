"""What a request handler needs of the platform: settings, database, test runs, validation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Depends, Request, WebSocket
from sqlalchemy.ext.asyncio import AsyncSession

from actors import autoscaler, test_run
from actors.cluster_question import ANSWER_SECONDS, ClusterQuestion
from actors.config import RunConfig
from actors.reservations import reservations
from fusillade.capacity import ClusterCapacity
from fusillade.hosting.messages import Loaded, Overrides
from fusillade.hosting.validator import Validator
from fusillade.mail import Mailer, mailer
from fusillade.queueing import Reservation
from fusillade.request_counts import RequestCounts
from fusillade.settings import Settings
from fusillade.storage import tests
from fusillade.storage.database import Database, StorageUnavailable

_VALIDATIONS_AT_ONCE = 4


@dataclass(frozen=True)
class Platform:
    """One for each API process; made in its event loop."""

    settings: Settings
    database: Database
    mailer: Mailer
    request_counts: RequestCounts
    reservations: ClusterQuestion[dict[UUID, Reservation]]
    capacity: ClusterQuestion[ClusterCapacity]
    _validator: Validator
    questions: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    """What health checks have asked the platform's parts and may not have an answer to."""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Self]:
        """Connect; close all connections at the end."""
        assert settings.database_url is not None
        database = Database(settings.database_url)
        counts = RequestCounts(settings.data_dir.expanduser() / "request_counts")
        reserved = ClusterQuestion("reserved machines", reservations)
        capacity = ClusterQuestion("machines", lambda: autoscaler.capacity(ANSWER_SECONDS))
        try:
            validator = Validator(_VALIDATIONS_AT_ONCE, settings.validation_seconds)
            yield cls(settings, database, mailer(settings), counts, reserved, capacity, validator)
        finally:
            reserved.close()
            capacity.close()
            counts.close()
            await database.dispose()

    @property
    def secret(self) -> str:
        """Signs tokens."""
        assert self.settings.jwt_secret is not None
        return self.settings.jwt_secret

    async def validate(
        self, files: dict[str, bytes], entry: str, env: dict[str, str], overrides: Overrides
    ) -> Loaded:
        """Compile a script and run its init code. Raises ``InvalidScript``."""
        return await self._validator.validate(files, entry, env, overrides)

    async def poke(self, test_id: UUID) -> None:
        """Have the test's TestRunActor look at the row; it is made if there is none."""
        name = ""  # with the database away, Ray's dashboard shows no name
        with contextlib.suppress(StorageUnavailable):
            async with self.database.session() as session:
                name = await tests.name_of(session, test_id)
        # Ray's call waits for the cluster's control store.
        await asyncio.to_thread(test_run.launch, test_id, RunConfig.of(self.settings), name)


def _of_request(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


def _of_socket(websocket: WebSocket) -> Platform:
    platform: Platform = websocket.app.state.platform
    return platform


Here = Annotated[Platform, Depends(_of_request)]
HereSocket = Annotated[Platform, Depends(_of_socket)]


async def _session(platform: Here) -> AsyncIterator[AsyncSession]:
    async with platform.database.session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session, scope="function")]
"""One transaction a request, committed before the answer is sent."""
