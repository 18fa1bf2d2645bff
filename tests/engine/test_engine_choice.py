"""Which engine a name stands for, and what is said where it cannot work."""

import sys

import pytest
from invented import with_settings

from paperpost.engine.choice import engine_of
from paperpost.engine.embedded import EMBEDDED
from paperpost.engine.engine import EngineError
from paperpost.engine.examination import examine
from paperpost.service.doctor.checks import gathered
from paperpost.service.installation import Installation
from paperpost.settings import SettingsError, load_settings
from paperpost.store.database import Database

POSTGRESQL = {"database_url": "postgresql+psycopg://db/paperpost", "secret_key": ("k" * 16,)}


def test_the_engine_is_embedded_unless_another_one_is_asked_for() -> None:
    assert engine_of(load_settings()) is EMBEDDED
    assert engine_of(load_settings(engine="dask://a:1", **POSTGRESQL), "embedded") is EMBEDDED


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("dask://scheduler.example.org:8786", "tcp://scheduler.example.org:8786"),
        ("dask+tls://10.0.0.1:8786", "tls://10.0.0.1:8786"),
        ("dask://[::1]:8786", "tcp://[::1]:8786"),
    ],
)
def test_dask_is_named_by_its_schedulers_address(name: str, address: str) -> None:
    from paperpost.engine.dask_engine import DaskEngine

    assert engine_of(load_settings(engine=name, **POSTGRESQL)) == DaskEngine(address)


@pytest.mark.parametrize("name", ["", "dask", "dask://host", "dask://u:p@host:1", "tcp://host:1"])
def test_another_name_stops_the_program(name: str) -> None:
    with pytest.raises(SettingsError, match=r"PAPERPOST_ENGINE: .*must be embedded, dask://HOST"):
        load_settings(engine=name)


@pytest.mark.sqlite_only("PostgreSQL is such a store")
def test_dask_needs_a_store_that_its_workers_reach(installation: Installation) -> None:
    with pytest.raises(EngineError, match="needs PostgreSQL"):
        engine_of(installation.settings, "dask://localhost:8786")


def test_without_dask_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("paperpost.engine.dask")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "paperpost.engine.cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match=r"needs Dask: in a checkout .* '\.\[dask,postgres\]'"):
        engine_of(load_settings(**POSTGRESQL), "dask://localhost:8786")


def test_tls_that_is_not_set_up_here_is_one_line() -> None:
    from paperpost.engine.cluster import Cluster
    from paperpost.engine.dask_engine import DaskEngine

    engine = engine_of(load_settings(**POSTGRESQL), "dask+tls://127.0.0.1:1")
    assert isinstance(engine, DaskEngine)
    with pytest.raises(EngineError, match="Dask's security is not configured here"):
        Cluster(engine.address, 1)


def test_the_doctor_asks_the_scheduler() -> None:
    shared = load_settings(engine="dask://127.0.0.1:1", **POSTGRESQL)
    nobody = Installation(shared, Database(shared.store_url))
    (check,) = gathered([("engine", lambda: examine(nobody))], at_once=1)
    assert (check.state, "no scheduler" in check.detail) == ("fail", True)
    assert list(examine(with_settings(nobody, engine="embedded"))) == []
