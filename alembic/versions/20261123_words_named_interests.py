"""Words to search papers by, named interests, links that were renewed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.add_column("subscriber", sa.Column("links_from", sa.DateTime(timezone=True)))
    _add_named_interests()


def _add_named_interests() -> None:
    op.create_table(
        "named_interest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.CheckConstraint("share BETWEEN 1 AND 100", name="ck_named_interest_share"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name="fk_named_interest_subscriber_id_subscriber",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_named_interest"),
        sa.UniqueConstraint("subscriber_id", "name", name="uq_named_interest_subscriber_id_name"),
    )
    with op.batch_alter_table("interest") as table:
        table.add_column(sa.Column("named_id", sa.Integer()))
        table.create_foreign_key(
            "fk_interest_named_id_named_interest",
            "named_interest",
            ["named_id"],
            ["id"],
            ondelete="CASCADE",
        )
        table.create_index("ix_interest_named_id", ["named_id"])


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("interest") as table:
        table.drop_index("ix_interest_named_id")
        table.drop_constraint("fk_interest_named_id_named_interest", type_="foreignkey")
        table.drop_column("named_id")
    op.drop_table("named_interest")
    op.drop_column("subscriber", "links_from")
