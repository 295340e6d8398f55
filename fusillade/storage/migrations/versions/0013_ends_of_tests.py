"""An index by which it is found which tests have ended lately."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("tests_by_end", "tests", ["finished_at"])


def downgrade() -> None:
    op.drop_index("tests_by_end", "tests")
