"""Which votes are newer than a snapshot is told by their numbers, without looking at them all."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.add_column("snapshot", sa.Column("last_vote", sa.Integer(), nullable=True))
    # Three rows: as if they had seen all votes, the next training comes within a day.
    op.execute("UPDATE snapshot SET last_vote = coalesce((SELECT max(id) FROM vote), 0)")


def downgrade() -> None:
    """Back."""
    op.drop_column("snapshot", "last_vote")
