"""The connection to PostgreSQL: sessions, and the schema brought up to date."""

import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files

import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from fusillade.errors import InternalError, ValidationFailed

_MIGRATION_LOCK = 0x46555349  # "FUSI": one process at a time migrates
CONNECT_SECONDS = 10
_ESCAPE = re.compile(r"\\(?:u0000|.)")

_log = logging.getLogger(__name__)


class StorageUnavailable(InternalError):
    """The database cannot be reached or used."""


class Database:
    """Sessions on one PostgreSQL. Make it in the event loop that uses it."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._engine = create_async_engine(
            _driver(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            # A connection that died with the server is replaced instead of failing a request.
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
            json_serializer=_storable_json,
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back on an exception.

        Raises :class:`StorageUnavailable` when the database cannot be reached,
        :class:`ValidationFailed` for a value that no column can hold.
        """
        try:
            async with self._sessions() as session, session.begin():
                yield session
        except OperationalError as error:
            raise StorageUnavailable(
                "The database cannot be reached at the moment; try again."
            ) from error
        except (DataError, UnicodeEncodeError) as error:
            reason = error.orig if isinstance(error, DataError) else error.reason
            _log.warning("a value was refused: %s", reason)
            raise ValidationFailed(
                "A value cannot be stored: a text has NUL or half a character in it, or a number "
                "is too large."
            ) from error

    async def ping(self) -> None:
        """Raises :class:`StorageUnavailable` unless the database answers."""
        async with self.session() as session:
            await session.execute(sqlalchemy.text("SELECT 1"))

    async def dispose(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def upgrade(url: str) -> None:
    """Bring the schema up to date; two that try at once do it one after the other.

    Raises :class:`ValidationFailed` for a URL that is none, :class:`StorageUnavailable`.
    """
    config = Config()
    config.set_main_option(
        "script_location", str(files("fusillade").joinpath("storage", "migrations"))
    )
    with _connection(url) as connection:
        lock = sqlalchemy.text("SELECT pg_advisory_lock(:key)")
        connection.execute(lock, {"key": _MIGRATION_LOCK})
        connection.commit()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


@contextlib.contextmanager
def _connection(url: str) -> Iterator[sqlalchemy.Connection]:
    engine = sqlalchemy.create_engine(
        _driver(url),
        poolclass=sqlalchemy.NullPool,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        place = make_url(url)
        where = f"{place.host or 'localhost'}:{place.port or 5432}/{place.database}"
        last = str(error.orig).strip().splitlines()[-1].strip()
        raise StorageUnavailable(f"The database at {where} cannot be used: {last}") from error


def _storable_json(value: object) -> str:
    """JSON for a column: NUL, which JSONB refuses, becomes U+FFFD, and half a character ``?``."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    if "\\u0000" not in text:
        return text
    # One escape after the other: an escaped backslash may stand before a plain u0000.
    return _ESCAPE.sub(lambda found: "\ufffd" if found[0] == "\\u0000" else found[0], text)


def plain_url(url: str) -> str:
    """The URL as psycopg reads it, for a connection without SQLAlchemy."""
    parsed = make_url(_driver(url)).set(drivername="postgresql")
    return parsed.render_as_string(hide_password=False)


def _driver(url: str) -> str:
    """The URL with psycopg as its driver, whichever way PostgreSQL was written."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValidationFailed(
            "The database URL cannot be read: write it as postgresql+psycopg://user:password@"
            "host:5432/name."
        ) from error
    if parsed.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise ValidationFailed(
            f"The database URL names {parsed.drivername}: only PostgreSQL is supported, written "
            "as postgresql+psycopg://user:password@host:5432/name."
        )
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
