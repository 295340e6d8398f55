"""Long lists, page by page, newest first: rows that are added meanwhile shift nothing."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import ValidationFailed
from fusillade.storage.models import Base
from fusillade.storage.ownership import belonging_to

Row = TypeVar("Row", bound=Base)
"""A table with the columns ``id``, ``organisation_id`` and ``created_at``."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, newest first."""

    rows: Sequence[Row]
    total: int
    """How many there are in all."""
    next_cursor: str | None
    """For the page after this one; None on the last."""


async def page(
    session: AsyncSession,
    model: type[Row],
    organisation_id: UUID,
    *where: ColumnElement[bool],
    limit: int,
    cursor: str | None = None,
) -> Page[Row]:
    """The organisation's rows for which all of ``where`` hold.

    Raises :class:`ValidationFailed` for a cursor that no page has given.
    """
    table: Any = model
    matching = belonging_to(model, organisation_id).where(*where)
    total = await session.scalar(select(func.count()).select_from(matching.subquery()))
    query = matching
    if cursor is not None:
        query = query.where(tuple_(table.created_at, table.id) < read_cursor(cursor))
    query = query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
    rows = (await session.scalars(query)).all()
    following = cursor_after(rows[limit - 1]) if len(rows) > limit else None
    return Page(rows=rows[:limit], total=int(total or 0), next_cursor=following)


def cursor_after(row: Any) -> str:
    """Leads to what follows ``row``."""
    content = json.dumps([row.created_at.isoformat(), str(row.id)])
    return base64.urlsafe_b64encode(content.encode()).decode()


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """When the row before was created, and its id. Raises :class:`ValidationFailed`."""
    try:
        created_at, row_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        moment = datetime.fromisoformat(str(created_at))
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment, UUID(str(row_id))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValidationFailed(
            "cursor is not valid: use the next_cursor of the page before."
        ) from error
