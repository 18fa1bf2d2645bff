"""Bounces, throttled domains, posted vote links, presses; notes on quiet days; mail to the
operator.

A delivery without a subscriber needs `delivery` made anew on SQLite, where a column cannot be made
optional otherwise; `Database.upgrade` runs migrations without foreign keys for that. 0003 does
what goes through the rows of large tables.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003a"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    _add_columns()
    _add_tables()
    with op.batch_alter_table("delivery") as table:
        table.alter_column("subscriber_id", existing_type=sa.Integer(), nullable=True)


def _add_columns() -> None:
    op.add_column(
        "subscriber",
        sa.Column("quiet_note", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("subscriber", sa.Column("suppressed_at", sa.DateTime(timezone=True)))
    op.add_column("subscriber", sa.Column("suppressed_because", sa.String()))
    op.add_column("delivery", sa.Column("domain", sa.String(), server_default="", nullable=False))
    op.add_column("delivery", sa.Column("content", sa.JSON()))
    op.add_column("digest", sa.Column("silence", sa.String(), server_default="", nullable=False))


def _add_tables() -> None:
    op.create_table(
        "throttle",
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reply", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("domain", name="pk_throttle"),
    )
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        _to("bounce", "subscriber"),
        sa.PrimaryKeyConstraint("id", name="pk_bounce"),
        sa.UniqueConstraint("fingerprint", name="uq_bounce_fingerprint"),
    )
    op.create_index("ix_bounce_subscriber_id", "bounce", ["subscriber_id"])
    op.create_table(
        "vote_post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("paper_number", sa.Integer(), nullable=False),
        sa.Column("link_value", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        _to("vote_post", "subscriber"),
        _to("vote_post", "paper", column="paper_number", key="number"),
        sa.PrimaryKeyConstraint("id", name="pk_vote_post"),
    )
    op.create_index(
        "ix_vote_post_subscriber_id_posted_at", "vote_post", ["subscriber_id", "posted_at"]
    )
    op.create_index("ix_vote_post_paper_number", "vote_post", ["paper_number"])
    op.create_table(
        "press",
        sa.Column("subscriber_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pressed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        _to("press", "subscriber"),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_press"),
    )


def _to(
    table: str, target: str, column: str = "subscriber_id", key: str = "id"
) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target}"
    return sa.ForeignKeyConstraint([column], [f"{target}.{key}"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    """And back: the operator's mails go, which the older version does not know."""
    for table in ("press", "vote_post", "bounce", "throttle"):
        op.drop_table(table)
    op.execute("DELETE FROM delivery WHERE subscriber_id IS NULL")
    with op.batch_alter_table("delivery") as table:
        table.alter_column("subscriber_id", existing_type=sa.Integer(), nullable=False)
    op.drop_column("digest", "silence")
    op.drop_column("delivery", "content")
    op.drop_column("delivery", "domain")
    op.drop_column("subscriber", "suppressed_because")
    op.drop_column("subscriber", "suppressed_at")
    op.drop_column("subscriber", "quiet_note")
