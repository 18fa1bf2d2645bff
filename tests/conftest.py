"""The cast and the stage: real databases (SQLite and PostgreSQL), a clock that is turned by hand,
real papers where they are at hand."""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import browser
import pytest
from browser import Readers
from invented import Clock
from playwright.sync_api import Browser
from postgresql_server import database_of, postgresql_server, run_sql
from smtp_server import Postbox, smtp_server

from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store.database import Database

REPOSITORY = Path(__file__).resolve().parent.parent
# Where the servers stand that speak the sources' protocols: others fetch from them too.
sys.path.insert(0, str(REPOSITORY / "tests" / "sources"))
# What counts mails and processes: others kill some, too.
sys.path.insert(0, str(REPOSITORY / "tests" / "crash"))
DATA = Path(os.environ.get("PAPERPOST_DATA") or REPOSITORY.parent / "shared" / "data").resolve()


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
        run_sql(url, "CREATE DATABASE template_paperpost")
        template = Database(database_of(url, "template_paperpost"))
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


_numbers = count()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    path = tmp_path / "home" / "paperpost.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    name = f"test{os.getpid()}_{next(_numbers)}"
    run_sql(postgresql_server, f"CREATE DATABASE {name} TEMPLATE template_paperpost")
    yield database_of(postgresql_server, name)
    run_sql(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


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
    settings = load_settings(home=home, database_url=url, secret_key=("a key for tests only",))
    return Installation(settings, Database(url), clock, said.append)


@pytest.fixture
def said() -> list[str]:
    """The progress lines of the test's installation."""
    return []


@pytest.fixture
def installation(
    sqlite_url: str, tmp_path: Path, clock: Clock, said: list[str]
) -> Iterator[Installation]:
    """An empty installation on SQLite."""
    opened = _installation(sqlite_url, tmp_path / "home", clock, said)
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
