"""Snapshots of the model in the database, for machines that share nothing else."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "snapshot_part",
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file", "number", name="pk_snapshot_part"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Numbers hardly get smaller by compression, and trying takes longer than writing them.
        op.execute("ALTER TABLE snapshot_part ALTER COLUMN content SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Back."""
    op.drop_table("snapshot_part")
