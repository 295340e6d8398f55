"""schedule firings"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OF_SCHEDULE = ("refusals", "refusal_code", "refusal_message", "checked")


def upgrade() -> None:
    op.add_column(
        "schedules", sa.Column("refusals", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("schedules", sa.Column("refusal_code", sa.Text(), nullable=True))
    op.add_column("schedules", sa.Column("refusal_message", sa.Text(), nullable=True))
    op.add_column("schedules", sa.Column("checked", postgresql.JSONB(), nullable=True))
    op.create_table(
        "schedule_firings",
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("fire_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("test_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["test_id"], ["tests.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("schedule_id", "fire_time"),
    )
    op.create_index("firings_by_time", "schedule_firings", ["fire_time"])
    op.create_index("firings_of_test", "schedule_firings", ["test_id"])
    op.create_index(
        "open_firings",
        "schedule_firings",
        ["claimed_at"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("schedule_firings")
    for name in _OF_SCHEDULE:
        op.drop_column("schedules", name)
