"""The organisation and administrator that the first start of a platform creates."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fusillade.private_files import write_private
from fusillade.settings import Settings
from fusillade.storage import accounts
from fusillade.storage.database import Database

DEFAULT_EMAIL = "admin@fusillade.local"


@dataclass(frozen=True)
class Admin:
    """Who may log in to a new platform."""

    email: str
    password: str
    file: Path
    """``admin.json`` in the data directory, mode 0600: the same e-mail and password."""


def create_if_none(settings: Settings) -> Admin | None:
    """Create the first organisation with its owner; None if the database already has one."""
    return asyncio.run(_create_if_none(settings))


async def _create_if_none(settings: Settings) -> Admin | None:
    assert settings.database_url is not None
    admin = Admin(
        email=settings.admin_email or DEFAULT_EMAIL,
        password=settings.admin_password or secrets.token_urlsafe(12),
        file=settings.data_dir / "admin.json",
    )
    database = Database(settings.database_url)
    try:
        async with database.session() as session:
            if await accounts.any_user(session):
                return None
            # The file first: a password that is stored nowhere would lock everybody out.
            content = {"email": admin.email, "password": admin.password}
            write_private(admin.file, msgspec.json.encode(content))
            await accounts.create_organisation_with_owner(
                session, name="Default", email=admin.email, password=admin.password
            )
    finally:
        await database.dispose()
    return admin
