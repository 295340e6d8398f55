"""exports"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tests", sa.Column("exported_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "tests_to_export",
        "tests",
        ["finished_at"],
        postgresql_where=sa.text("exported_at IS NULL AND summary IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("tests_to_export", "tests")
    op.drop_column("tests", "exported_at")
