"""pauses"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tests", sa.Column("paused_at", sa.Double(), nullable=True))
    op.add_column("tests", sa.Column("resumed_at", sa.Double(), nullable=True))
    op.add_column(
        "tests", sa.Column("paused_seconds", sa.Double(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    for column in ("paused_seconds", "resumed_at", "paused_at"):
        op.drop_column("tests", column)
