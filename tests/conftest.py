"""The cast and the stage: real databases (SQLite and PostgreSQL), a clock that is turned by hand,
real papers where they are at hand."""

import os
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import browser
import pytest
from browser import Readers
from in_memory import keep_files_in_memory
from invented import Clock
from playwright.sync_api import Browser
from postgresql_server import database_of, postgresql_server, run_sql
from smtp_server import Postbox, smtp_server
from stores import TEMPLATE, PostgresqlStores, SqliteStores, Stores

from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store.database import Database

REPOSITORY = Path(__file__).resolve().parent.parent
# Where the servers stand that speak the sources' protocols: others fetch from them too.
sys.path.insert(0, str(REPOSITORY / "tests" / "sources"))
# What counts mails and processes: others kill some, too.
sys.path.insert(0, str(REPOSITORY / "tests" / "crash"))
DATA = Path(os.environ.get("PAPERPOST_DATA") or REPOSITORY.parent / "shared" / "data").resolve()
A_KEY = "a key for tests only"


def pytest_configure() -> None:
    """Before there are any files."""
    keep_files_in_memory()


def pytest_addoption(parser: pytest.Parser) -> None:
    """On which database the tests run that run on one."""
    parser.addoption(
        "--store",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="the database of tests that run on one (those that compare run on both)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --store postgresql: skip what is about SQLite's own file, and leave out the half on
    SQLite of what runs on both."""
    if config.getoption("store") == "postgresql":
        halves = {item for item in items if _is_half_on_sqlite(item)}
        items[:] = [item for item in items if item not in halves]
        config.hook.pytest_deselected(items=list(halves))
        for item in items:
            for marker in item.iter_markers("sqlite_only"):
                item.add_marker(pytest.mark.skip(reason=f"about SQLite alone: {marker.args[0]}"))


def _is_half_on_sqlite(item: pytest.Item) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return any(isinstance(value, str) and value == "sqlite" for value in parameters)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests neither read the developer's own installation nor write into it."""
    for name in [name for name in os.environ if name.startswith("PAPERPOST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PAPERPOST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PAPERPOST_DATA", str(DATA))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def data() -> Path:
    """The folder of real papers; without it the test is skipped."""
    if not (DATA / "arxiv").is_dir():
        pytest.skip("needs the real papers: set PAPERPOST_DATA to their folder (CONTRIBUTING.md)")
    return DATA


@pytest.fixture(scope="session", name="postgresql_server")
def _postgresql_server() -> Iterator[str]:
    """A real PostgreSQL server of our own, with a migrated database to copy."""
    with postgresql_server() as url:
        # It does not outlive the tests: nothing has to be safe from a power cut.
        run_sql(url, "ALTER SYSTEM SET fsync = off")
        run_sql(url, "SELECT pg_reload_conf()")
        run_sql(url, f"CREATE DATABASE {TEMPLATE}")
        template = Database(database_of(url, TEMPLATE))
        template.upgrade()
        template.close()
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    database.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    return SqliteStores(sqlite_template).make(tmp_path / "home")


@pytest.fixture
def postgresql_url(postgresql_server: str, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    stores = PostgresqlStores(postgresql_server)
    url = stores.make(tmp_path / "home")
    yield url
    stores.drop(url)


@pytest.fixture(scope="session")
def stores(request: pytest.FixtureRequest) -> Stores:
    """What makes the databases of tests that run on one: SQLite's unless --store says otherwise."""
    if request.config.getoption("store") == "postgresql":
        return PostgresqlStores(request.getfixturevalue("postgresql_server"))
    return SqliteStores(request.getfixturevalue("sqlite_template"))


@pytest.fixture
def store_url(stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A migrated, empty database, where commands look for it too."""
    url = stores.make(tmp_path / "home")
    _tell_commands(monkeypatch, url)
    yield url
    stores.drop(url)


@pytest.fixture
def bare_store(stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where commands look for a database there is none, or one without tables."""
    url = stores.make_bare(tmp_path / "home")
    _tell_commands(monkeypatch, url)
    yield
    stores.drop(url)


def _tell_commands(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """They find a file by themselves; a server's URL is told them, and the key."""
    if not url.startswith("sqlite"):
        monkeypatch.setenv("PAPERPOST_DATABASE_URL", url)
        monkeypatch.setenv("PAPERPOST_SECRET_KEY", A_KEY)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database; the test runs on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The store, on SQLite and on PostgreSQL."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    """The time in the test, which starts on a Tuesday morning."""
    return Clock()


def _installation(url: str, home: Path, clock: Clock, said: list[str]) -> Installation:
    settings = load_settings(home=home, database_url=url, secret_key=(A_KEY,))
    return Installation(settings, Database(url), clock, said.append)


@pytest.fixture
def said() -> list[str]:
    """The progress lines of the test's installation."""
    return []


@pytest.fixture
def installation(
    store_url: str, tmp_path: Path, clock: Clock, said: list[str]
) -> Iterator[Installation]:
    """An empty installation, on SQLite unless --store says otherwise."""
    opened = _installation(store_url, tmp_path / "home", clock, said)
    yield opened
    opened.close()


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A mail server that keeps what it accepts."""
    with smtp_server() as server:
        yield server


@pytest.fixture
def any_installation(
    database_url: str, tmp_path: Path, clock: Clock, said: list[str]
) -> Iterator[Installation]:
    """An empty installation; the test runs on SQLite and on PostgreSQL."""
    opened = _installation(database_url, tmp_path / "home", clock, said)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this machine, one for each process of tests; without one they are skipped."""
    if browser.PROGRAM is None:
        pytest.skip(browser.NEEDED)
    with browser.launched() as launched:
        yield launched


@pytest.fixture
def readers(chromium: Browser) -> Iterator[Readers]:
    """Readers with a browser, in which nothing happens that must not."""
    readers = Readers(chromium)
    yield readers
    readers.leave()
    assert readers.watch.seen == []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Say at the end what was left out on a machine without a browser."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = Counter(
        report.nodeid.partition("::")[0]
        for report in skipped
        if browser.NEEDED in str(report.longrepr)
    )
    if left_out:
        terminalreporter.write_line(
            f"{left_out.total()} tests in a real browser were left out; {browser.HOW}:"
        )
    for path, number in sorted(left_out.items()):
        terminalreporter.write_line(f"  {number:3} of {path}")
