"""An installation on PostgreSQL that a Dask cluster works for."""

from collections import Counter
from pathlib import Path
from threading import Event

from dask_on_stage import DaskOnStage
from invented import Clock
from readers_of_all_kinds import BLOCKS, DAYS, Start

from paperpost.engine.dask_engine import DaskEngine
from paperpost.engine.engine import Engine
from paperpost.engine.handing_out import Patience
from paperpost.engine.jobs import ComposeDate
from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store.database import Database

KEY = "a key for tests only"
CLOCK = Clock()
JOB = ComposeDate(DAYS[2], CLOCK())
NEVER = Event()


def opened(url: str, folder: Path, said: list[str]) -> Installation:
    settings = load_settings(home=folder / "home", database_url=url, secret_key=(KEY,))
    return Installation(settings, Database(url), CLOCK, said.append)


def composed(installation: Installation, engine: Engine) -> Counter[str]:
    """What comes of composing all blocks by hand."""
    return sum(engine.each(installation, JOB, BLOCKS, NEVER), Counter())


class Stage:
    """The installation as it was before any run, what it said, and the cluster."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder = folder
        self.said: list[str] = []
        self.installation = opened(url, folder, self.said)
        self.start = Start.of(self.installation)
        self.dask = self._cluster()

    def engine(self, **patience: float) -> DaskEngine:
        return DaskEngine(self.dask.address, Patience(**patience))

    def set_up(self, workers: int) -> None:
        """Nothing is composed, and so many workers are there."""
        if self.dask.scheduler.poll() is not None:
            self.dask.close()
            self.dask = self._cluster()
        self.start.restore(self.installation)
        self.said.clear()
        self.dask.complete(workers)

    def close(self) -> None:
        self.dask.close()
        self.installation.close()

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this installation needs to know."""
        return {
            "PAPERPOST_HOME": str(self.installation.settings.home),
            "PAPERPOST_DATABASE_URL": self.installation.settings.store_url,
            "PAPERPOST_SECRET_KEY": KEY,
        }

    def _cluster(self) -> DaskOnStage:
        return DaskOnStage(self._folder, self.environment)
