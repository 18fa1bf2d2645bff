"""A wider key of papers' names: two papers may have one title. And the index of revisions.

PostgreSQL builds the new key beside the old one and changes them at once; on SQLite, and on the way
back, the table is made anew and its rows are copied.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from paperpost.store.migrating import build_index

revision: str = "0004"
down_revision: str | None = "0004a"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    build_index("ix_paper_revised", "paper", ["revised"])
    key = ("alias", "paper_number")
    if op.get_bind().dialect.name == "sqlite":
        _make_aliases_anew(*key)
        return
    build_index("wider_paper_alias", "paper_alias", key, unique=True)
    op.execute(
        "ALTER TABLE paper_alias DROP CONSTRAINT pk_paper_alias, "
        "ADD CONSTRAINT pk_paper_alias PRIMARY KEY USING INDEX wider_paper_alias"
    )


def _make_aliases_anew(*key: str) -> None:
    op.rename_table("paper_alias", "old_alias")
    op.drop_index("ix_paper_alias_paper_number", "old_alias")
    if op.get_bind().dialect.name == "postgresql":  # whose names of constraints are the schema's
        op.execute("ALTER TABLE old_alias RENAME CONSTRAINT pk_paper_alias TO pk_old_alias")
    op.create_table(
        "paper_alias",
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("paper_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paper_number"],
            ["paper.number"],
            name="fk_paper_alias_paper_number_paper",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(*key, name="pk_paper_alias"),
    )
    op.execute(
        "INSERT INTO paper_alias (alias, paper_number) "
        "SELECT alias, min(paper_number) FROM old_alias GROUP BY alias"
    )
    op.drop_table("old_alias")
    op.create_index("ix_paper_alias_paper_number", "paper_alias", ["paper_number"])


def downgrade() -> None:
    """And back; of several papers of one title the first keeps it."""
    _make_aliases_anew("alias")
    op.drop_index("ix_paper_revised", "paper")
