"""trends"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBERS = ("avg_latency_ms", "p95_latency_ms", "error_rate", "rps")


def upgrade() -> None:
    for name in _NUMBERS:
        computed = sa.Computed(f"(summary ->> '{name}')::float8", persisted=True)
        op.add_column("tests", sa.Column(name, sa.Double(), computed, nullable=True))
    op.create_index(
        "tests_for_trends",
        "tests",
        ["organisation_id", "finished_at", "id"],
        postgresql_include=list(_NUMBERS),
        postgresql_where=sa.text("status = 'completed'"),
    )
    op.create_index("tests_by_target", "tests", ["target_urls"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_index("tests_by_target", "tests")
    op.drop_index("tests_for_trends", "tests")
    for name in _NUMBERS:
        op.drop_column("tests", name)
