"""The one place where rows are looked up by an identifier that a client has sent.

A row of another organisation is not there: the error is the same, so that identifiers of others
cannot be told from invented ones.
"""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import NotFound
from fusillade.storage.models import Base

Row = TypeVar("Row", bound=Base)
"""A table with the columns ``id`` and ``organisation_id``."""


async def owned(
    session: AsyncSession,
    model: type[Row],
    row_id: UUID,
    organisation_id: UUID,
    *,
    lock: bool = False,
) -> Row:
    """The organisation's row with this id, locked until the transaction ends if ``lock``.

    Raises :class:`NotFound`.
    """
    table: Any = model
    query = belonging_to(model, organisation_id).where(table.id == row_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = await session.scalar(query)
    if found is None:
        raise missing(model, row_id)
    return found


def belonging_to(model: type[Row], organisation_id: UUID) -> Select[Row]:
    """A query for all rows of the organisation, to be narrowed and ordered."""
    table: Any = model
    return select(model).where(table.organisation_id == organisation_id)


def missing(model: type[Base], row_id: object) -> NotFound:
    """The error for a row that is not there or somebody else's."""
    noun = model.__tablename__.removesuffix("s").replace("_", " ")
    return NotFound(f"There is no {noun} {row_id}.")
