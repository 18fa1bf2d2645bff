"""The commands for operators: tokens, backups."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Annotated, NoReturn

import typer

from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.terminal import AsJson, Email, fail, opened, say, show


def register(app: typer.Typer) -> None:
    """Add these commands to the others."""
    for command in (operator, token, backup, restore):
        app.command()(command)


def operator(as_json: AsJson = False) -> None:
    """The address of the operator's page; whoever has it sees the page, for 90 days."""
    from paperpost.service.links import LASTS, Purpose, operator_url

    with opened() as installation:
        now = installation.clock()
        url = operator_url(installation, now)
    lasts = LASTS[Purpose.OPERATOR]
    until = None if lasts is None else (now + lasts).isoformat()
    show(as_json, {"url": url, "until": until}, url)


def token(
    email: Email,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="One for an hour that may export and delete, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A subscriber's token for the API; it works until they renew their links."""
    from paperpost.service import tokens

    with opened() as installation:
        made = tokens.token_of(installation, email, fresh=fresh)
    show(as_json, {"email": email, "token": made}, made)


def backup(
    file: Annotated[Path, typer.Argument(help="Where to; - for standard output.")],
    as_json: AsJson = False,
) -> None:
    """Everything that is stored, and the key of the links, as one file; while others work."""
    from paperpost.service import backup as service

    if str(file) == "-":
        _back_up_to_stdout(as_json)
        return
    _end_tidily()
    with _opened_with_its_key() as installation:
        done = service.back_up(installation, file)
    size, rows = file.stat().st_size, sum(done.rows.values())
    document = {"file": str(file), "bytes": size, "made_at": done.made_at.isoformat()}
    document |= {"version": done.revision, "rows": done.rows}
    text = f"{file}: {rows:,} rows, {size / 1e6:,.1f} MB, {SECRET}"
    show(as_json, document, text)


@contextmanager
def _opened_with_its_key() -> Iterator[Installation]:
    """The installation, but none without a key: to open it would make one."""
    from paperpost.service.backup import keys_of_links

    keys_of_links(load_settings())
    with opened() as installation:
        yield installation


def _end_tidily() -> None:
    """Told to stop, let what was begun be taken away: it holds keys."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        for ignored in _STOPS:
            signal.signal(ignored, signal.SIG_IGN)
        sys.exit(128 + number)

    for number in _STOPS:
        signal.signal(number, end)


_STOPS = (signal.SIGTERM, signal.SIGHUP)
SECRET = "with the key of all links: keep it as secret as the database"  # noqa: S105 - no password


def _back_up_to_stdout(as_json: bool) -> None:
    from paperpost.service import backup as service

    if as_json:
        raise typer.BadParameter("with - standard output is the backup, and not one for JSON")
    if sys.stdout.isatty():
        raise typer.BadParameter("a backup is nothing for a terminal: name a file, or use a pipe")
    try:
        with _opened_with_its_key() as installation:
            done = service.write_backup(installation, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # flushed at the end
        fail("the backup is not whole: whoever took it has ended")
    say(f"{sum(done.rows.values()):,} rows, {SECRET}")


def restore(
    file: Annotated[
        Path, typer.Argument(help="What `paperpost backup` wrote; - for standard input.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Lose what is stored now, if anything is.")
    ] = False,
    send_waiting: Annotated[
        bool,
        typer.Option(
            "--send-waiting",
            help="No mail was sent since the backup: send what waited, compose what was due.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of what is stored, on SQLite or PostgreSQL."""
    from paperpost.service import restore as service

    settings = load_settings()
    with _read_twice(file, settings.home) as backed_up:
        done = service.restore(settings, backed_up, force=force, send_waiting=send_waiting, say=say)
    if done.key is not None:
        say(
            f"earlier links were signed with a key that PAPERPOST_SECRET_KEY does not name: "
            f"it is in {done.key}, add it after yours"
        )
    document = {
        "made_at": done.made_at.isoformat(),
        "rows": done.rows,
        "expired": done.expired,
        "taken_as_sent": done.taken_as_sent,
        "key": None if done.key is None else str(done.key),
    }
    text = f"{sum(done.rows.values()):,} rows as of {done.made_at:%Y-%m-%d %H:%M} UTC"
    if done.expired or done.taken_as_sent:
        text += (
            f"; {done.expired:,} mails that waited then have expired, and {done.taken_as_sent:,} "
            "digests that were due since are taken as sent"
        )
    show(as_json, document, text)


@contextmanager
def _read_twice(path: Path, home: Path) -> Iterator[IO[bytes]]:
    """A file that can be read twice; of a pipe, a copy in the home that has no name."""
    if str(path) == "-" and sys.stdin.isatty():
        raise typer.BadParameter("a backup is not typed: name a file, or use a pipe")
    with sys.stdin.buffer if str(path) == "-" else path.open("rb") as given:
        if given.seekable():
            yield given
            return
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as copy:
            shutil.copyfileobj(given, copy)
            yield copy
