"""The index of leased deliveries, the domains of open ones, and why earlier digests were silent."""

from collections.abc import Sequence

from alembic import op

from paperpost.store.migrating import build_index, fill

revision: str = "0003"
down_revision: str | None = "0003a"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward."""
    build_index("ix_delivery_lease", "delivery", ["lease"], where="lease IS NOT NULL")
    at = "instr" if op.get_bind().dialect.name == "sqlite" else "strpos"
    fill(
        "delivery",
        "id",
        "UPDATE delivery SET domain = ("  # noqa: S608 - names from here
        f"SELECT lower(substr(email, {at}(email, '@') + 1)) FROM subscriber "
        "WHERE subscriber.id = delivery.subscriber_id) "
        "WHERE id BETWEEN :first AND :last AND domain = '' AND subscriber_id IS NOT NULL "
        "AND state IN ('queued', 'unknown', 'sending')",
    )
    fill(
        "digest",
        "id",
        "UPDATE digest SET silence = ("
        "SELECT upper(substr(reply, 1, 1)) || substr(reply, 2) || '.' FROM delivery "
        "WHERE delivery.id = digest.delivery_id) "
        "WHERE id BETWEEN :first AND :last AND silence = '' AND EXISTS ("
        "SELECT 1 FROM delivery WHERE delivery.id = digest.delivery_id AND state = 'silent')",
    )


def downgrade() -> None:
    """And back."""
    op.drop_index("ix_delivery_lease", "delivery")
