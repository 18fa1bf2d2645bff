"""What a reader said is read from an index alone: their votes lie scattered over years of rows.
And the next mails are found without sorting all that are due at one moment."""

from collections.abc import Sequence

from paperpost.store.migrating import build_index, remove_index

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    also = ["id", "value", "origin", "counts_at", "voided"]
    build_index("ix_vote_subscriber_id", "vote", ["subscriber_id", "paper_number"], include=also)
    remove_index("ix_vote_subscriber_id_paper_number")
    build_index("ix_delivery_state_due_at_id", "delivery", ["state", "due_at", "id"])
    remove_index("ix_delivery_state_due_at")


def downgrade() -> None:
    """Back."""
    build_index("ix_delivery_state_due_at", "delivery", ["state", "due_at"])
    remove_index("ix_delivery_state_due_at_id")
    build_index("ix_vote_subscriber_id_paper_number", "vote", ["subscriber_id", "paper_number"])
    remove_index("ix_vote_subscriber_id")
