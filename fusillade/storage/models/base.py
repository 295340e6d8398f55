"""What all tables have in common."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    DateTime,
    LargeBinary,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase


class _StoredText(TypeDecorator[str]):
    """Text of any origin: what PostgreSQL cannot store in it is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {  # noqa: RUF012
        datetime: DateTime(timezone=True),
        str: _StoredText(),
        list[str]: ARRAY(Text()),
        dict[str, Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
        bytes: LargeBinary(),
    }
