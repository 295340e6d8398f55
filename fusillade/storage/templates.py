"""Templates: tests that are kept to be created again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.creation import Plan
from fusillade.storage import pages
from fusillade.storage.allowance import add_within
from fusillade.storage.models import Template
from fusillade.storage.ownership import owned
from fusillade.storage.pages import Page

OF_TEST = ("name", "script_content", "workers", "duration_seconds", "region")
"""Columns that say what the test is."""


async def create(session: AsyncSession, template: Template, most: int) -> None:
    """Store a new template. Raises ``LimitExceeded`` if there are ``most`` already."""
    await add_within(session, template, most)


async def get(session: AsyncSession, template_id: UUID, organisation_id: UUID) -> Template:
    """One template of an organisation. Raises ``NotFound``."""
    return await owned(session, Template, template_id, organisation_id)


async def page(
    session: AsyncSession, organisation_id: UUID, *, limit: int, cursor: str | None
) -> Page[Template]:
    """Templates of an organisation, newest first."""
    return await pages.page(session, Template, organisation_id, limit=limit, cursor=cursor)


async def change(
    session: AsyncSession,
    template_id: UUID,
    organisation_id: UUID,
    changes: Mapping[str, Any],
    now: datetime,
) -> Template:
    """Change columns of a template. Raises ``NotFound``."""
    template = await owned(session, Template, template_id, organisation_id, lock=True)
    for name, value in changes.items():
        setattr(template, name, value)
    template.updated_at = now
    await session.flush()
    return template


async def delete(session: AsyncSession, template_id: UUID, organisation_id: UUID) -> None:
    """Delete a template; tests that were made from it stay. Raises ``NotFound``."""
    await session.delete(await get(session, template_id, organisation_id))


def plan_of(template: Template, overrides: Mapping[str, Any] | None = None) -> Plan:
    """The test that it makes, with some of the values replaced."""
    values = {name: getattr(template, name) for name in OF_TEST} | dict(overrides or {})
    return Plan.of_script(values.pop("script_content"), **values)
