"""The API on Ray Serve."""

import logging
from typing import Any

from fastapi import FastAPI
from ray import serve

from api.app import build_app
from fusillade.private_files import read_or_make_secret
from fusillade.settings import Settings

APPLICATION = "fusillade"
_CONNECTIONS_PER_REPLICA = 10_000


def deploy(settings: Settings) -> None:
    """Start Serve on the connected Ray, and the API on it; returns when the API is healthy."""
    if settings.jwt_secret is None:
        secret = read_or_make_secret(settings.data_dir / "jwt_secret")
        settings = settings.model_copy(update={"jwt_secret": secret})
    serve.start(
        http_options=serve.config.HTTPOptions(
            host=settings.host,
            port=settings.port,
            # WebSockets and ?wait=true stay open for as long as a test runs.
            request_timeout_s=None,
            keep_alive_timeout_s=120,
        ),
        logging_config=serve.schema.LoggingConfig(
            encoding=settings.log_format.upper(), enable_access_log=False
        ),
    )
    serve.run(_deployment(settings).bind(), name=APPLICATION, route_prefix="/")


def undeploy() -> None:
    """Take the API and Serve off the connected Ray."""
    serve.shutdown()


def _deployment(settings: Settings) -> Any:
    def build() -> FastAPI:
        return build_app(settings)

    return serve.deployment(
        name="api",
        num_replicas=settings.serve_replicas,
        max_ongoing_requests=_CONNECTIONS_PER_REPLICA,
        # All CPUs are for the load.
        ray_actor_options={"num_cpus": 0, "resources": {"node:__internal_head__": 0.001}},
        health_check_period_s=5,
        graceful_shutdown_timeout_s=2,
        logging_config={
            "encoding": settings.log_format.upper(),
            "enable_access_log": False,
            "log_level": logging.WARNING,
        },
    )(serve.ingress(build)())
