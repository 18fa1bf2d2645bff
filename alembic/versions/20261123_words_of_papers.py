"""The words of the papers that were there before the triggers of 0005a, and the indexes."""

from collections.abc import Sequence

from alembic import op

from paperpost.store.migrating import build_index, fill, validate

revision: str = "0005"
down_revision: str | None = "0005a"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    build_index("ix_interest_named_id", "interest", ["named_id"])
    validate("interest", "fk_interest_named_id_named_interest")
    if op.get_bind().dialect.name == "sqlite":  # where 0005a had to do it at once
        return
    # Held for a moment, so that no paper goes while its words come; one that changes meanwhile has
    # its words from the trigger, whoever of both is the first.
    fill(
        "paper",
        "number",
        "INSERT INTO paper_words SELECT number, announced, paper_words_of(paper) FROM paper "
        "WHERE number BETWEEN :first AND :last AND announced > '0001-01-01' AND NOT EXISTS "
        "(SELECT 1 FROM paper_words WHERE paper_number = number) "
        "ORDER BY number FOR KEY SHARE OF paper ON CONFLICT DO NOTHING",
    )
    build_index("ix_paper_words_words", "paper_words", ["words"], using="gin")


def downgrade() -> None:
    """And back."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_paper_words_words", "paper_words")
    op.drop_index("ix_interest_named_id", "interest")
