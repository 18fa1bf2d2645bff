"""A restore that is killed, wherever that is: all is as it was, or nobody works with the database
until the restore is run again."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invented import START, fill, join
from sqlmodel import text

from paperpost.service.backup import back_up
from paperpost.service.backup_file import Header, write
from paperpost.service.installation import Installation
from paperpost.store import loading, subscribers
from paperpost.store.database import Database, StoreError
from paperpost.store.dumping import dumping

DAY = START.date()
REFUSED = "a restore of this database has not ended: if none is running, run it again"
KEY = "a key for tests only"
# In the order in which a restore comes by; the rows are there from `put` on, and refused until the
# last.
PLACES = (
    "_prepare return",
    "put_all return",
    "take_as_sent return",
    "mark return",
    "put call",
    "put return",
    "unmark return",
    "finish return",
)
PLACES_OF_AN_OLDER_ONE = ("_prepare return", "mark return", "put call", "unmark return")


@contextmanager
def killer(file: Path, office: Installation) -> Iterator[subprocess.Popen[str]]:
    """What restores a file, and kills that, again and again."""
    program = Path(__file__).with_name("killed_restore.py")
    arguments = (file, office.settings.home / "elsewhere", office.settings.store_url)
    with subprocess.Popen(
        [sys.executable, str(program), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def ended(process: subprocess.Popen[str], place: str, database: Database) -> int:
    """How a restore ended that was to be killed there; its session has ended, too."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{place}\n")
    process.stdin.flush()
    status = int(process.stdout.readline())
    while not database.is_sqlite and _others(database):
        time.sleep(0.01)
    return status


def _others(database: Database) -> int:
    count = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    with database.reading() as session:
        found: int = session.execute(count).scalar_one()
    database.close()
    return found


def _names(database: Database) -> list[str]:
    """Who is subscribed, where all is as it should be; what is said where nobody may look."""
    try:
        database.require_current()
        with database.reading() as session:
            return [person.email[:3] for person in subscribers.active(session, 0, 9)]
    except StoreError as error:
        return [str(error)]
    finally:
        database.close()


def test_killed_anywhere_it_leaves_all_that_was_or_is_to_be_run_again(
    any_installation: Installation, tmp_path: Path
) -> None:
    office, database = any_installation, any_installation.database
    fill(office, [DAY])
    join(office, "ada", "geese")
    back_up(office, tmp_path / "kept")
    join(office, "ben", "geese")
    database.close()
    key = office.settings.home / "elsewhere" / "secret.key"
    with killer(tmp_path / "kept", office) as process:
        seen = []
        for place in PLACES:
            assert ended(process, place, database) == -signal.SIGKILL, place
            seen.append(_names(database))
            assert key.exists() == (len(seen) > 5)
        assert seen == [["ada", "ben"]] * 4 + [[REFUSED]] * 3 + [["ada"]]
        assert ended(process, "put call", database) == -signal.SIGKILL
        assert _names(database) == [REFUSED]
        assert ended(process, "nowhere", database) == 0
    assert _names(database) == ["ada"]
    assert key.read_text() == f"{KEY}\n"
    assert [path.name for path in key.parent.iterdir() if "new" in path.name] == []
    assert database.difference() == []


def test_an_older_backup_leaves_nothing_or_is_to_be_run_again(
    any_installation: Installation, tmp_path: Path
) -> None:
    office, database = any_installation, any_installation.database
    join(office, "ada", "geese")
    database.close()
    database.downgrade("0006")
    with (tmp_path / "kept").open("wb") as file, dumping(database) as dump:
        write(file, Header(dump.revision, START, (KEY,)), dump.tables)
    database.upgrade()
    loading.empty(database)
    with killer(tmp_path / "kept", office) as process:
        for place in PLACES_OF_AN_OLDER_ONE:
            assert ended(process, place, database) == -signal.SIGKILL, place
            if place in PLACES_OF_AN_OLDER_ONE[:2]:
                assert loading.is_empty(database)
                database.close()
            else:
                database.upgrade()  # as a unit does before it starts: the mark stays
                assert _names(database) == [REFUSED]
        assert ended(process, "nowhere", database) == 0
    assert _names(database) == ["ada"]
