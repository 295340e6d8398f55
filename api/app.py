"""The application: all resources on one FastAPI, with what they share."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from actors import log
from actors.config import Watching
from api import (
    analytics,
    artifacts,
    auth,
    errors,
    failures,
    files,
    health,
    idempotency,
    invites,
    keys,
    live,
    me,
    openapi,
    page,
    pauses,
    progress,
    quota,
    reports,
    schedules,
    team,
    templates,
    tests,
    validation,
    webhooks,
    workers,
)
from api.body_limit import BodyLimit
from api.platform import Platform
from api.rate_limits import RateLimits
from fusillade import __version__
from fusillade.settings import Settings


def build_app(settings: Settings) -> FastAPI:
    """The API of one platform; ``settings`` name its database and its secret."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log.begin(Watching.of(settings), "api")
        async with Platform.open(settings) as platform:
            app.state.platform = platform
            yield

    app = FastAPIOffline(
        title="Fusillade",
        version=__version__,
        description="Load tests in JavaScript, run by a Ray cluster.",
        lifespan=lifespan,
        generate_unique_id_function=openapi.operation_id,
        # /docs loads nothing from elsewhere.
        static_url="/docs/files",
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},
    )
    errors.install(app)
    idempotency.install(app)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(RateLimits, settings=settings)
    for resource in (
        health,
        auth,
        me,
        keys,
        team,
        invites,
        quota,
        validation,  # before tests/{test_id}
        tests,
        pauses,
        progress,
        reports,
        failures,
        workers,
        analytics,
        artifacts,
        files,
        templates,
        schedules,
        webhooks,
        live,
        page,  # last: it has the root
    ):
        app.include_router(resource.router)
    openapi.install(app)
    return app
