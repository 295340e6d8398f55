"""webhook outbox"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_PENDING = sa.text("status = 'pending'")


def _nullable(name: str, type_: sa.types.TypeEngine[Any]) -> sa.Column[object]:
    return sa.Column(name, type_, nullable=True)


def _moment(name: str) -> sa.Column[object]:
    return _nullable(name, sa.DateTime(timezone=True))


_OF_DELIVERIES = ("position", "test_id", "claim", "claimed_until", "last_attempt_at")
_OF_WEBHOOKS = ("previous_secret", "previous_secret_until", "failing_since", "disabled_reason")


def upgrade() -> None:
    op.add_column(
        "webhook_deliveries",
        sa.Column("position", sa.BigInteger(), sa.Identity(), nullable=False),
    )
    for column in (
        _nullable("test_id", sa.Uuid()),
        _nullable("claim", sa.Uuid()),
        _moment("claimed_until"),
        _moment("last_attempt_at"),
    ):
        op.add_column("webhook_deliveries", column)
    for column in (
        _nullable("previous_secret", sa.Text()),
        _moment("previous_secret_until"),
        _moment("failing_since"),
        _nullable("disabled_reason", sa.Text()),
    ):
        op.add_column("webhooks", column)
    op.add_column(
        "tests",
        sa.Column(
            "breached_thresholds", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False
        ),
    )
    op.drop_index("deliveries_by_next_attempt", "webhook_deliveries")
    op.create_index(
        "pending_deliveries",
        "webhook_deliveries",
        ["webhook_id", "next_attempt_at"],
        postgresql_where=_PENDING,
    )
    op.create_index(
        "pending_deliveries_of_test",
        "webhook_deliveries",
        ["webhook_id", "test_id", "position"],
        postgresql_where=_PENDING,
    )
    op.create_index("deliveries_by_age", "webhook_deliveries", ["created_at"])


def downgrade() -> None:
    for index in ("pending_deliveries", "pending_deliveries_of_test", "deliveries_by_age"):
        op.drop_index(index, "webhook_deliveries")
    op.create_index("deliveries_by_next_attempt", "webhook_deliveries", ["next_attempt_at"])
    op.drop_column("tests", "breached_thresholds")
    for name in _OF_WEBHOOKS:
        op.drop_column("webhooks", name)
    for name in _OF_DELIVERIES:
        op.drop_column("webhook_deliveries", name)
