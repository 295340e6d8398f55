"""templates, schedules, webhooks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _moment(name: str, *, is_filled: bool = False) -> sa.Column[object]:
    """A time; ``is_filled`` by the database if it is not given, otherwise it may be missing."""
    default = sa.text("now()") if is_filled else None
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=default, nullable=not is_filled
    )


def _owned(*columns: sa.Column[object]) -> list[sa.schema.SchemaItem]:
    """The columns of something that a user of an organisation has made."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        *columns,
        _moment("created_at", is_filled=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    ]


def _test() -> list[sa.Column[object]]:
    """The columns that say what a test is."""
    return [
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("script_content", sa.Text(), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "templates",
        *_owned(
            *_test(),
            sa.Column("description", sa.Text(), nullable=False),
            _moment("updated_at", is_filled=True),
        ),
    )
    op.create_table(
        "schedules",
        *_owned(
            *_test(),
            sa.Column("cron_expression", sa.Text(), nullable=False),
            sa.Column("timezone", sa.Text(), nullable=False),
            sa.Column("active", sa.Boolean(), nullable=False),
            _moment("next_run_at"),
            _moment("last_run_at"),
            sa.Column("last_test_id", sa.Uuid(), nullable=True),
            _moment("updated_at", is_filled=True),
        ),
        sa.ForeignKeyConstraint(["last_test_id"], ["tests.id"], ondelete="SET NULL"),
    )
    op.create_index("schedules_by_next_run", "schedules", ["next_run_at"])
    op.create_table(
        "webhooks",
        *_owned(
            sa.Column("url", sa.Text(), nullable=False),
            sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
            sa.Column("secret", sa.Text(), nullable=False),
            sa.Column("active", sa.Boolean(), nullable=False),
        ),
    )
    for table in ("templates", "schedules", "webhooks"):
        op.create_index(f"{table}_of_organisation", table, ["organisation_id", "created_at", "id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("next_attempt_at"),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _moment("created_at", is_filled=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "deliveries_of_webhook", "webhook_deliveries", ["webhook_id", "created_at", "id"]
    )
    op.create_index("deliveries_by_next_attempt", "webhook_deliveries", ["next_attempt_at"])


def downgrade() -> None:
    for table in ("webhook_deliveries", "webhooks", "schedules", "templates"):
        op.drop_table(table)
