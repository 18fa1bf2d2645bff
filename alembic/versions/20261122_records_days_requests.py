"""Records that make one paper, states of sources and days, the log of requests, revisions.

On SQLite `paper` is made anew, so that the number of a paper that was merged into another one never
returns. 0004 does what goes through the rows of large tables.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004a"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    anew = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    numbered = {"sqlite_autoincrement": True}
    with op.batch_alter_table("paper", recreate=anew, table_kwargs=numbered) as table:
        table.add_column(sa.Column("discussed", sa.Integer()))
        table.add_column(sa.Column("revised", sa.Date()))
        table.add_column(sa.Column("revised_at", sa.DateTime(timezone=True)))
        table.add_column(sa.Column("stood_from", sa.Date()))
    op.add_column(
        "subscriber",
        sa.Column("revisions", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("digest", sa.Column("missing", sa.String(), server_default="", nullable=False))
    op.add_column("digest", sa.Column("owed_from", sa.Date()))
    op.add_column("web_validator", sa.Column("kept_at", sa.DateTime(timezone=True)))
    op.add_column("host_turn", sa.Column("holder", sa.String()))
    op.add_column("host_turn", sa.Column("held_until", sa.DateTime(timezone=True)))
    _add_tables()


def _add_tables() -> None:
    op.create_table(
        "paper_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paper_number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paper_number"],
            ["paper.number"],
            name="fk_paper_record_paper_number_paper",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_paper_record"),
    )
    op.create_index("ix_paper_record_paper_number", "paper_record", ["paper_number"])
    op.create_table(
        "waiting_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_waiting_record"),
    )
    op.create_index("ix_waiting_record_name", "waiting_record", ["name"])
    op.create_index("ix_waiting_record_told_at", "waiting_record", ["told_at"])
    op.create_table(
        "paper_merged",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("paper_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paper_number"],
            ["paper.number"],
            name="fk_paper_merged_paper_number_paper",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_paper_merged"),
        sa.UniqueConstraint("number", name="uq_paper_merged_number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_paper_merged_paper_number", "paper_merged", ["paper_number"])
    op.create_table(
        "source_day",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("papers", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ids", sa.JSON()),
        sa.PrimaryKeyConstraint("source", "day", name="pk_source_day"),
    )
    op.create_table(
        "request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_request"),
    )
    op.create_index("ix_request_asked_at", "request", ["asked_at"])


def downgrade() -> None:
    """And back. Works that only a reader's library tells of go, with the votes on them: before,
    every paper is everybody's."""
    _remove_what_is_one_readers()
    for table in ("request", "source_day", "paper_merged", "waiting_record", "paper_record"):
        op.drop_table(table)
    op.drop_column("web_validator", "kept_at")
    op.drop_column("host_turn", "held_until")
    op.drop_column("host_turn", "holder")
    op.drop_column("digest", "owed_from")
    op.drop_column("digest", "missing")
    op.drop_column("subscriber", "revisions")
    op.drop_column("paper", "stood_from")
    op.drop_column("paper", "revised_at")
    op.drop_column("paper", "revised")
    op.drop_column("paper", "discussed")


def _remove_what_is_one_readers() -> None:
    # SQLite does not look at foreign keys while it migrates.
    for table in ("vote", "vote_post", "fragment", "paper_alias"):
        op.execute(
            f"DELETE FROM {table} WHERE paper_number IN "  # noqa: S608 - names from here
            "(SELECT number FROM paper WHERE announced = '0001-01-01')"
        )
    op.execute("DELETE FROM paper WHERE announced = '0001-01-01'")
