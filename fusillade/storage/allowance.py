"""Rows of which an organisation may have only so many."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import LimitExceeded
from fusillade.storage.models import Base, Organisation


async def add_within(session: AsyncSession, row: Base, most: int) -> None:
    """Store a new row, unless its organisation has ``most`` of them already.

    Creations of one organisation go one after the other, so that two that race for the last place
    do not both get it. Raises :class:`LimitExceeded`.
    """
    table: Any = type(row)
    organisation_id = row.organisation_id  # type: ignore[attr-defined]
    await session.execute(
        select(Organisation.id)
        .where(Organisation.id == organisation_id)
        .with_for_update(key_share=True)
    )
    count = await session.scalar(
        select(func.count()).select_from(table).where(table.organisation_id == organisation_id)
    )
    if (count or 0) >= most:
        noun = table.__tablename__
        raise LimitExceeded(
            f"{noun.removesuffix('s').capitalize()} limit exceeded. Your plan allows up to {most} "
            f"{noun}."
        )
    session.add(row)
    await session.flush()
