"""Backups: taken while others write, restored on either database, and compared row by row."""

import gzip
import io
import os
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from forged_backup import signed
from invented import START, Clock, fill, join, with_settings
from postgresql_server import database_of, run_sql
from sqlalchemy import Table
from sqlmodel import SQLModel, func, select

from paperpost.engine.runs import compose_all_due, compose_all_of
from paperpost.service import links, vote
from paperpost.service.backup import BackedUp, back_up, write_backup
from paperpost.service.backup_file import BackupError, Header, verified, write
from paperpost.service.compose import draft
from paperpost.service.deliver import StoreOutbox, send
from paperpost.service.doctor import home
from paperpost.service.installation import Installation
from paperpost.service.restore import Restored
from paperpost.service.restore import restore as restore_file
from paperpost.service.status import status
from paperpost.service.taken_as_sent import TAKEN_AS_SENT
from paperpost.service.train import train
from paperpost.settings import Settings, load_settings
from paperpost.store import library, outbox, subscribers, word_index, words
from paperpost.store.database import Database, StoreError
from paperpost.store.dumping import LEFT_OUT, dumping

DAY = date(2026, 4, 7)
A_KEY = "a key for tests only"
HOSTILE = "tab\t back\\slash \\N \\. line\nreturn\r \b null-ish \u2028 ‮ 🦆 'quote\" é \\t {}"
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """An installation that is still to be made, elsewhere."""
    home = tmp_path / "elsewhere"
    if request.param == "sqlite":
        yield load_settings(home=home)
        return
    server, name = request.getfixturevalue("postgresql_server"), f"elsewhere{os.getpid()}"
    run_sql(server, f"CREATE DATABASE {name}")
    yield load_settings(home=home, database_url=database_of(server, name), secret_key=(A_KEY,))
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def office(installation: Installation) -> Installation:
    """An office on SQLite, as `furnish` leaves it."""
    return furnish(installation)


@pytest.fixture
def any_office(any_installation: Installation) -> Installation:
    """The same on either database."""
    return furnish(any_installation)


def furnish(office: Installation) -> Installation:
    """Readers with votes, a library, digests that were sent, and one that waits (cleo's)."""
    papers = fill(office, [DAY])
    for name in ("ada", "ben"):
        join(office, name, "graph neural networks", HOSTILE[:20], size=3)
    vote.cast_by_command(office, "ada@example.org", papers[0].id, "up")
    vote.cast_by_command(office, "ben@example.org", papers[1].id, "down")
    with office.database.writing() as session:
        work = library.Work(("2611.00001",), HOSTILE, HOSTILE, ("Ada",), ())
        library.keep(session, 1, [work], START)
    compose_all_of(office, DAY)
    send(office)
    join(office, "cleo", "speech recognition", size=3)
    compose_all_of(office, DAY)
    return office


def _fill_what_is_empty(database: Database) -> None:
    with database.engine.begin() as connection:
        for table in SQLModel.metadata.sorted_tables:
            if not connection.execute(select(func.count()).select_from(table)).scalar():
                connection.execute(table.insert().values(_a_row(table) | KNOWN.get(table.name, {})))


# Of which there are some alone.
KNOWN: dict[str, dict[str, Any]] = {
    "bounce": {"kind": "hard"},
    "source_day": {"state": "complete"},
}


def _a_row(table: Table) -> dict[str, Any]:
    made: dict[type, Any] = {
        int: 1,
        float: 0.1 + 0.2,
        bool: True,
        str: HOSTILE,
        bytes: b"1",
        date: DAY,
        datetime: START.replace(microsecond=120),
        object: {"said": HOSTILE, "number": 0.1},
    }
    kinds = {column.name: getattr(column.type, "impl", column.type) for column in table.columns}
    return {name: made[kind.python_type] for name, kind in kinds.items()}


def _all_rows(database: Database) -> Rows:
    with database.engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(table.select())), key=repr)
            for table in SQLModel.metadata.sorted_tables
            if table.name not in LEFT_OUT
        }


def _kept(office: Installation, path: Path) -> BackedUp:
    office.database.close()
    return back_up(office, path)


def restore(settings: Settings, path: Path, **how: Any) -> Restored:
    with path.open("rb") as file:
        return restore_file(settings, file, **how)


def _restored(settings: Settings, path: Path, **how: Any) -> tuple[Restored, Installation]:
    done = restore(settings, path, clock=Clock(), **how)
    return done, Installation(settings, Database(settings.store_url), Clock())


def _mailed(office: Installation, email: str) -> list[tuple[int, float]]:
    with office.database.reading() as session:
        person = subscribers.by_email(session, email)
    assert person is not None
    return [(item["paper"], item["score"]) for item in draft(office, person, DAY).digest.items]


def test_what_is_restored_is_what_was_stored_on_either_database(
    any_office: Installation, target: Settings, tmp_path: Path
) -> None:
    office = any_office
    _fill_what_is_empty(office.database)
    with office.database.writing() as session:
        subscribers.remove(session, 3)
    before = _all_rows(office.database)
    assert all(before.values())
    link = links.token(office.signer, links.Purpose.PREFERENCES, office.clock(), 1)
    done = _kept(office, tmp_path / "kept")
    assert done.rows == {name: len(rows) for name, rows in before.items()}
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600
    told, copy = _restored(target, tmp_path / "kept", send_waiting=True)
    assert (told.rows, told.expired, told.taken_as_sent) == (done.rows, 0, 0)
    assert _all_rows(copy.database) == before
    assert copy.database.difference() == []
    with copy.database.reading() as session:
        owner, _ = links.owner(copy, session, link, links.Purpose.PREFERENCES)
        assert owner.email == "ada@example.org"
        assert word_index.count(session, words.Query((words.Phrase(("speech",)),))) == 4
    train(office)
    train(copy)
    assert _mailed(copy, "ada@example.org") == _mailed(office, "ada@example.org")
    join(copy, "dora", "geese")
    with copy.database.reading() as session:
        dora = subscribers.by_email(session, "dora@example.org")
    assert dora is not None
    assert dora.id == 4  # cleo's number does not return
    copy.close()


class Meddled(io.BytesIO):
    """A file; as soon as something is written to it others write to the database."""

    def __init__(self, meddle: Callable[[], None]) -> None:
        super().__init__()
        self._meddle: Callable[[], None] | None = meddle

    def write(self, block: Any) -> int:
        meddle, self._meddle = self._meddle, None
        if meddle is not None:
            meddle()
        return super().write(block)


def test_a_backup_is_of_one_moment_whatever_others_do_meanwhile(
    any_office: Installation, tmp_path: Path, clock: Clock
) -> None:
    office = any_office
    before = _all_rows(office.database)

    def meddle() -> None:
        join(office, "dora", "auctions")
        fill(office, [date(2026, 4, 8)])
        vote.cast_by_command(office, "ada@example.org", "2604.08000", "up")
        clock.turn(days=1)
        compose_all_due(office, Event())
        send(office)

    file = Meddled(meddle)
    write_backup(office, file)
    (tmp_path / "kept").write_bytes(file.getvalue())
    assert _all_rows(office.database) != before
    settings = load_settings(home=tmp_path / "elsewhere")
    _, copy = _restored(settings, tmp_path / "kept", send_waiting=True)
    assert _all_rows(copy.database) == before
    copy.close()


def test_what_waited_is_not_sent_and_what_was_due_since_does_not_bring_papers_again(
    office: Installation, target: Settings, tmp_path: Path
) -> None:
    _kept(office, tmp_path / "kept")
    later = Clock()
    later.turn(days=1)
    done = restore(target, tmp_path / "kept", clock=later)
    copy = Installation(target, Database(target.store_url), later)
    assert (done.expired, done.taken_as_sent) == (1, 3)
    assert compose_all_due(copy, Event()) == {}
    assert send(copy).sent == 0
    rows = _all_rows(copy.database)
    assert [row[2] for row in rows["digest"] if TAKEN_AS_SENT in row] == [date(2026, 4, 8)] * 3
    fill(copy, [DAY, date(2026, 4, 8)], each=6)  # the first of them are known
    later.turn(days=1)
    assert compose_all_due(copy, Event()) == {"silent": 3}
    copy.close()


def test_where_nothing_was_sent_since_what_waited_is_sent_once(
    office: Installation, target: Settings, tmp_path: Path
) -> None:
    claimed = StoreOutbox(office, lease="elsewhere|1|0.0|x").claim(office.clock(), 2)
    assert len(claimed) == 1
    _kept(office, tmp_path / "kept")
    _, copy = _restored(target, tmp_path / "kept", send_waiting=True)
    assert send(copy).sent == 1
    with copy.database.reading() as session:
        assert outbox.count_by_state(session)["digest"]["sent"] == 3
    copy.close()


def test_a_database_with_rows_is_replaced_only_if_that_is_wanted(
    any_office: Installation, tmp_path: Path
) -> None:
    office = any_office
    _kept(office, tmp_path / "kept")
    join(office, "dora", "geese")
    office.database.close()
    before = _all_rows(office.database)
    office.database.close()
    with pytest.raises(BackupError, match="not empty"):
        restore(office.settings, tmp_path / "kept")
    assert _all_rows(office.database) == before
    office.database.close()
    _, copy = _restored(office.settings, tmp_path / "kept", force=True, send_waiting=True)
    assert [row[1] for row in before["subscriber"] if "dora" in row[1]]
    assert not [row[1] for row in _all_rows(copy.database)["subscriber"] if "dora" in row[1]]
    copy.close()


def test_nothing_is_restored_while_somebody_works_with_the_database(
    any_office: Installation, tmp_path: Path
) -> None:
    office = any_office
    _kept(office, tmp_path / "kept")
    before = _all_rows(office.database)  # whose connection stays open
    with pytest.raises(StoreError, match="somebody else works with the database"):
        restore(office.settings, tmp_path / "kept", force=True)
    assert _all_rows(office.database) == before


def _without_table(lines: bytes) -> bytes:
    """Without the table of presses, whose line and end are taken away."""
    start = lines.index(b'{"table": "press"')
    end = lines.index(b"\\.\n", start) + 3
    return lines[:start] + lines[end:]


def _replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(lines: bytes) -> bytes:
        assert old in lines
        return lines.replace(old, new)

    return change


# What is done to a backup, and what is said of it.
FORGED = {
    "no table": (_without_table, "lacks what should be in press"),
    "another table": (_replaced(b'"press"', b'"x; DROP"'), "has not"),
    "a table of models": (_replaced(b'"table": "press"', b'"table": "snapshot"'), "has not"),
    "another column": (_replaced(b'["host", "free_at"', b'["host", "x"'), "other columns"),
    "a column less": (_replaced(b'["host", "free_at"', b'["host"'), "other columns"),
    "a column twice": (_replaced(b'["host", "free_at"', b'["host", "host", "free_at"'), "other"),
    "half a row": (_replaced(b"1\tada@example.org\tactive\t", b"1\tada@"), "cannot|is none"),
    "an address twice": (_replaced(b"\tben@example.org\t", b"\tada@example.org\t"), "(?i)unique"),
    "a row that points to nothing": (_replaced(b"\tkeyword\t", b"7\tkeyword\t"), "(?i)foreign"),
    "a number of 30 digits": (_replaced(b"1\tada@", b"9" * 30 + b"\tada@"), "range|is none"),
    "another state": (_replaced(b"\tactive\t", b"\tawake\t"), "unknown state in subscriber"),
    "another frequency": (_replaced(b"\tdaily\t", b"\thourly\t"), "unknown frequency"),
    "another kind": (_replaced(b"\tkeyword\t", b"\tpassword\t"), "unknown kind in interest"),
    "another zone": (_replaced(b"\tactive\tUTC\t", b"\tactive\tMoon\t"), "unknown timezone"),
    "a time that is none": (_replaced(b"\t2026-04-07 ", b"\t2026-04-77 "), "range|is none"),
    "a time for ever": (_replaced(b"\t2026-04-07 ", b"\t9999-12-31 "), "that is none"),
    "a day that is none": (_replaced(b"\t2026-04-07\t", b"\t2026-04-77\t"), "range|is none"),
    "an infinite day": (_replaced(b"\t2026-04-07\t", b"\tinfinity\t"), "is none"),
    "no JSON": (_replaced(b'\t["', b'\t[["'), "json|is none"),
}


def test_rows_that_do_not_fit_change_nothing(any_office: Installation, tmp_path: Path) -> None:
    office = any_office
    _kept(office, tmp_path / "kept")
    lines = gzip.decompress((tmp_path / "kept").read_bytes())
    before = _all_rows(office.database)
    for change, reason in FORGED.values():
        (tmp_path / "bad").write_bytes(signed(change(lines)))
        office.database.close()
        with pytest.raises(StoreError, match=reason) as error:
            restore(office.settings, tmp_path / "bad", force=True)
        assert "\n" not in str(error.value)
    assert _all_rows(office.database) == before
    assert office.database.difference() == []
    office.database.require_current()
    join(office, "dora", "geese")  # its numbers go on where they were


def test_an_older_backup_is_brought_to_this_version(
    installation: Installation, target: Settings, tmp_path: Path
) -> None:
    database = installation.database
    fill(installation, [DAY])
    join(installation, "ada", "graph neural networks")
    before = _all_rows(database)
    database.downgrade("0004")
    with (tmp_path / "kept").open("wb") as file, dumping(database) as dump:
        assert dump.revision == "0004"
        write(file, Header(dump.revision, START, (A_KEY,)), dump.tables)
    _, copy = _restored(target, tmp_path / "kept", send_waiting=True)
    copy.database.require_current()
    assert _all_rows(copy.database) == before
    with copy.database.reading() as session:
        assert word_index.count(session, words.Query((words.Phrase(("speech",)),))) == 4
    copy.close()


@pytest.mark.sqlite_only("with PostgreSQL the key is a setting")
def test_a_key_that_the_settings_do_not_name_is_put_aside_for_them(
    installation: Installation, tmp_path: Path
) -> None:
    back_up(installation, tmp_path / "kept")
    settings = load_settings(home=tmp_path / "a", secret_key=("another key for tests",))
    told = restore(settings, tmp_path / "kept")
    assert told.key == settings.key_file
    assert settings.key_file.read_text() == f"{A_KEY}\n"
    assert settings.key_file.stat().st_mode & 0o777 == 0o600
    settings = load_settings(home=tmp_path / "b")
    (own,) = settings.signing_keys()
    assert restore(settings, tmp_path / "kept").key is None
    assert settings.signing_keys() == (A_KEY.encode(),)
    (kept,) = settings.home.glob("secret.key.*")
    assert kept.read_text().strip() == own.decode()


@pytest.mark.sqlite_only("with PostgreSQL the key is a setting")
def test_a_key_that_the_home_alone_has_is_told_and_stays_in_backups(
    installation: Installation, tmp_path: Path
) -> None:
    back_up(installation, tmp_path / "kept")
    settings = load_settings(home=tmp_path / "a", secret_key=("another key for tests",))
    told, restored = _restored(settings, tmp_path / "kept")
    assert told.key is not None
    (check,) = home.key(restored)
    assert (check.state, str(told.key) in check.detail) == ("warn", True)
    assert A_KEY not in check.detail
    assert [line for line in status(restored)["wrong"] if line.startswith("key: ")]
    back_up(restored, tmp_path / "again")
    with (tmp_path / "again").open("rb") as file:
        assert verified(file).keys == ("another key for tests", A_KEY)
    named = with_settings(restored, secret_key=("another key for tests", A_KEY))
    assert [check.state for check in home.key(named)] == ["ok"]
    restored.database.close()


def test_without_a_key_there_is_no_backup_and_none_is_made(
    installation: Installation, tmp_path: Path
) -> None:
    keyless = with_settings(installation, secret_key=())
    with pytest.raises(BackupError, match="PAPERPOST_SECRET_KEY is not set here"):
        back_up(keyless, tmp_path / "kept")
    assert not keyless.settings.key_file.exists()
    assert not (tmp_path / "kept").exists()


def test_a_backup_takes_no_place_but_its_own(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "thesis").write_text("years of work")
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(BackupError, match="no backup: it stays"):
        back_up(installation, tmp_path / "thesis")
    back_up(installation, tmp_path / "kept")
    fill(installation, [DAY])
    assert back_up(installation, tmp_path / "kept").rows["paper"] == 12
    assert {path.name for path in tmp_path.iterdir()} == before | {"kept"}
