"""Whether the engine of the settings can work, for `doctor`."""

from collections.abc import Iterator

from paperpost.engine.choice import engine_of
from paperpost.engine.embedded import EMBEDDED
from paperpost.service.doctor.checks import Check, fail, ok
from paperpost.service.installation import Installation

SECONDS = 5.0


def examine(installation: Installation) -> Iterator[Check]:
    """Whether Dask's scheduler answers and has workers; nothing of the embedded engine. Raises
    EngineError."""
    engine = engine_of(installation.settings)
    if engine is EMBEDDED:
        return
    from paperpost.engine.cluster import count_workers
    from paperpost.engine.dask_engine import DaskEngine

    if isinstance(engine, DaskEngine):
        workers = count_workers(engine.address, SECONDS)
        how_many = f"{workers or 'no'} worker{'' if workers == 1 else 's'}"
        said = f"Dask's scheduler at {engine.address} has {how_many}"
        yield ok("engine", said) if workers else fail("engine", f"{said}: digests wait for one")
