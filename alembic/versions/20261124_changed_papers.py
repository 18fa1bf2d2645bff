"""Whether any paper changed is found without looking at them all."""

from collections.abc import Sequence

from alembic import op

from paperpost.store.migrating import build_index

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    build_index("ix_paper_changed_at", "paper", ["changed_at"])


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_paper_changed_at", "paper")
