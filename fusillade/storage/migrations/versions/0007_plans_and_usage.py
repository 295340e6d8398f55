"""plans of organisations, and the minutes that their tests use"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "organisations",
        sa.Column("plan", sa.Text(), server_default="self-hosted", nullable=False),
    )
    op.create_table(
        "usage",
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("reserved_seconds", sa.Integer(), nullable=False),
        sa.Column("used_seconds", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("test_id"),
    )
    op.create_index("usage_of_organisation", "usage", ["organisation_id", "month"], unique=False)


def downgrade() -> None:
    op.drop_table("usage")
    op.drop_column("organisations", "plan")
