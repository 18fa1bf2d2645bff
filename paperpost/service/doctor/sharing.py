"""What several processes on several machines share: who ticks, what time it is, and the way to the
database."""

import os
from collections.abc import Iterator
from datetime import UTC, timedelta

from paperpost.service.doctor.checks import Check, fail, ok, warn
from paperpost.service.installation import Installation
from paperpost.service.snapshot_store import NoSharedFolder, require_place

CLOCKS_MAY_DIFFER = timedelta(seconds=2)


def ticking(installation: Installation) -> Iterator[Check]:
    """Which process composes digests now."""
    holder = installation.database.holder("tick")
    if holder is None:
        yield warn("ticks", "no process does: run `paperpost serve` or `work`")
    else:
        yield ok(
            "ticks",
            f"{holder.process} does, since {holder.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        )


def clock(installation: Installation) -> Iterator[Check]:
    """Whether this machine's clock is as the database's, which all go by."""
    if installation.database.is_sqlite:
        return
    ahead = installation.database.compare_clocks()
    if abs(ahead) > CLOCKS_MAY_DIFFER:
        how = "slow" if ahead > timedelta() else "fast"
        off = abs(ahead).total_seconds()
        yield warn("clock", f"this machine's is {off:,.0f} seconds {how} by the database's: set it")
    else:
        yield ok("clock", "as the database's")


def models(installation: Installation) -> Iterator[Check]:
    """Whether the folder of models that machines share is there and takes them."""
    folder = installation.settings.shared_models
    if folder is None:
        return
    try:
        require_place(installation)
    except NoSharedFolder as error:
        yield fail("shared models", str(error))
        return
    if os.access(folder, os.W_OK):
        yield ok("shared models", f"in {folder}")
    else:
        yield warn("shared models", f"PAPERPOST_MODELS: {folder} cannot be written to: who trains?")


def way(installation: Installation) -> Iterator[Check]:
    """Whether a pool of connections stands before the server."""
    if installation.database.is_sqlite:
        return
    if installation.database.is_pooled():
        pool = "a pool of connections stands before PostgreSQL"
        yield warn("pool", f"{pool}: it has to keep one for each of ours (pgbouncer: `session`)")
    else:
        yield ok("pool", "connected to PostgreSQL itself")
