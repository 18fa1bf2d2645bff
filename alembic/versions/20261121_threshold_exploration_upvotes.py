"""Each subscriber's threshold and exploration; what outside readers say of a paper.

Only columns are added, without batch mode: SQLite would make `subscriber` anew for it, and
dropping the old table takes every row that points to a subscriber along (ON DELETE CASCADE).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    # In words: SQLite takes a check with a new column, but Alembic has no way to say so.
    op.execute(
        "ALTER TABLE subscriber ADD COLUMN threshold FLOAT "
        "CONSTRAINT ck_subscriber_threshold CHECK (threshold BETWEEN 0 AND 1)"
    )
    op.add_column(
        "subscriber",
        sa.Column("explore", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.add_column("paper", sa.Column("upvotes", sa.Integer(), nullable=True))
    op.add_column("paper", sa.Column("upvotes_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """And back."""
    op.drop_column("paper", "upvotes_at")
    op.drop_column("paper", "upvotes")
    op.drop_column("subscriber", "explore")
    op.drop_column("subscriber", "threshold")
