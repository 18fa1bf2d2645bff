"""Which engine is meant by its name."""

from paperpost.engine.embedded import EMBEDDED
from paperpost.engine.engine import Engine, EngineError
from paperpost.settings import Settings

_PROTOCOLS = {"dask": "tcp", "dask+tls": "tls"}


def engine_of(settings: Settings, name: str | None = None) -> Engine:
    """The engine of the settings, or one that is named as there; raises EngineError where it cannot
    work."""
    name = name or settings.engine
    if name == "embedded":
        return EMBEDDED
    if not settings.on_postgresql:
        raise EngineError(
            f"{name} needs PostgreSQL (PAPERPOST_DATABASE_URL): its workers write to the store, "
            "and one in a file is not shared"
        )
    protocol, _, where = name.partition("://")
    try:
        from paperpost.engine.dask_engine import DaskEngine
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dask", "distributed"):
            raise
        raise EngineError(
            f"{name} needs Dask: in a checkout of Paperpost, here and on its workers' machines, "
            "pip install --constraint constraints.txt '.[dask,postgres]'"
        ) from error
    return DaskEngine(f"{_PROTOCOLS[protocol]}://{where}")
