"""The list of an organisation's tests: filtered, sorted, and page by page."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import ValidationFailed
from fusillade.storage.models import Test

Status = Literal[
    "provisioning", "ready", "pending", "running", "completed", "failed", "cancelled", "stopped"
]
Sort = Literal[
    "created_at",
    "-created_at",
    "name",
    "-name",
    "workers",
    "-workers",
    "duration_seconds",
    "-duration_seconds",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a test must be to be listed; None and empty for anything."""

    statuses: tuple[Status, ...] = ()
    search: str | None = None
    """Part of the name, in any case."""
    region: str | None = None
    """The code of one of its regions."""
    target_url: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the tests that match."""

    tests: Sequence[Test]
    total: int
    """How many match in all."""
    next_cursor: str | None
    """For the page after this one; None on the last."""


async def page(
    session: AsyncSession,
    organisation_id: UUID,
    *,
    filters: Filters = Filters(),
    sort: Sort = "-created_at",
    limit: int,
    cursor: str | None = None,
) -> Page:
    """Tests of an organisation. The cursor is a place in the order, not a number of rows: rows that
    are added meanwhile shift nothing.

    Raises :class:`ValidationFailed` for a cursor that no page with this ``sort`` has given.
    """
    matching = _filtered(select(Test).where(Test.organisation_id == organisation_id), filters)
    total = await session.scalar(matching.with_only_columns(func.count()))
    key = getattr(Test, sort.removeprefix("-"))
    place = tuple_(key, Test.id)
    if cursor is not None:
        after = _read_cursor(cursor, sort)
        matching = matching.where(place < after if sort.startswith("-") else place > after)
    order = [key, Test.id]
    if sort.startswith("-"):
        order = [column.desc() for column in order]
    rows = (await session.scalars(matching.order_by(*order).limit(limit + 1))).all()
    following = _cursor(rows[limit - 1], sort) if len(rows) > limit else None
    return Page(tests=rows[:limit], total=int(total or 0), next_cursor=following)


def _filtered(query: Select[Any], filters: Filters) -> Select[Any]:
    if filters.statuses:
        query = query.where(Test.status.in_(filters.statuses))
    if filters.search:
        query = query.where(Test.name.icontains(filters.search, autoescape=True))
    if filters.region is not None:
        query = query.where(in_region(filters.region))
    if filters.target_url is not None:
        query = query.where(Test.target_urls.contains([filters.target_url]))
    if filters.created_after is not None:
        query = query.where(Test.created_at > filters.created_after)
    if filters.created_before is not None:
        query = query.where(Test.created_at < filters.created_before)
    return query


def in_region(code: str) -> ColumnElement[bool]:
    """Whether a test runs in a region, be it one of several; also by all of its ``region``."""
    first = Test.region.startswith(f"{code}:", autoescape=True)
    later = Test.region.contains(f",{code}:", autoescape=True)
    return or_(Test.region == code, first, later)


def _cursor(test: Test, sort: Sort) -> str:
    value = getattr(test, sort.removeprefix("-"))
    if isinstance(value, datetime):
        value = value.isoformat()
    content = json.dumps([sort, value, str(test.id)])
    return base64.urlsafe_b64encode(content.encode()).decode()


def _read_cursor(cursor: str, sort: Sort) -> tuple[Any, UUID]:
    try:
        given, value, test_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if given != sort or given not in get_args(Sort):
            raise ValueError(f"of a list sorted by {given}")
        if sort.endswith("created_at"):
            value = datetime.fromisoformat(value)
        elif not isinstance(value, str if sort.endswith("name") else int):
            raise ValueError("of the wrong type")
        return value, UUID(test_id)
    except (ValueError, TypeError) as error:
        raise ValidationFailed(
            "cursor is not valid: use the next_cursor of the page before, with the same sort."
        ) from error
