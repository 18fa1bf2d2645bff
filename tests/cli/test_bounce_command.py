"""bounce, as a mail server pipes into it; and the folder that `work` watches."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from mailbox import Maildir
from pathlib import Path

import pytest
from bounce_mail import about
from invented import fill, join
from smtp_server import smtp_server
from test_commands import PAPERPOST, done, run

from paperpost.engine.runs import compose_all_of
from paperpost.service import account
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.settings import SettingsError, load_settings
from paperpost.store.database import Database

KEY = "a key for tests only"


@pytest.fixture
def installation(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """An installation by the real clock, which the commands use too."""
    monkeypatch.setenv("PAPERPOST_SECRET_KEY", KEY)
    monkeypatch.setenv("PAPERPOST_BOUNCES", "bounces@papers.example.org")
    monkeypatch.setenv("PAPERPOST_SOURCES", "")
    opened = Installation(load_settings(), Database(store_url))
    yield opened
    opened.close()


@pytest.fixture
def senders(installation: Installation) -> list[str]:
    """The envelope senders of three digests to ada."""
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=number) for number in (3, 2, 1)]
    fill(installation, days)
    email = join(installation, "ada", "graph neural networks")
    with smtp_server() as postbox:
        at_the_postbox = installation.settings.model_copy(update={"smtp_url": postbox.url})
        for day in days:
            compose_all_of(installation, day, email)
        send(Installation(at_the_postbox, installation.database))
        return postbox.senders


def pipe(message: bytes, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PAPERPOST, "bounce", *arguments],
        input=message,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def test_a_mail_server_pipes_reports_in(senders: list[str]) -> None:
    counted = pipe(about(senders[0], "5.1.1"), "--json")
    assert (counted.returncode, counted.stderr) == (0, b"")
    document = json.loads(counted.stdout)
    assert (document["counted"], document["ignored"]) == (1, 0)
    assert document["messages"][0]["effect"] == "suppressed"
    again = pipe(about(senders[0], "5.1.1"))
    assert (again.returncode, again.stdout) == (
        0,
        b"ignored: this mail's report was counted before\n",
    )
    assert "bounces      1 hard in 30 days; 1 suppressed\n" in run("status").stdout
    assert done("bounce", "--forgive", "ada@example.org")["forgiven"] is True
    stranger = run("bounce", "--forgive", "nobody@example.org")
    assert (stranger.returncode, stranger.stderr.count("\n")) == (1, 1)


def test_reports_in_files_are_taken_in(senders: list[str], tmp_path: Path) -> None:
    for number, sender in enumerate(senders):
        (tmp_path / str(number)).write_bytes(about(sender, "4.2.2"))
    (tmp_path / "3").write_bytes(b"\xff\x00 nothing of the kind")
    files = [str(tmp_path / str(number)) for number in range(4)]
    document = done("bounce", *files)
    assert (document["counted"], document["ignored"]) == (3, 1)
    assert [one["file"] for one in document["messages"]] == files
    assert document["messages"][2]["effect"] == "suppressed"
    lost = run("bounce", str(tmp_path / "lost"))
    assert (lost.returncode, lost.stderr.count("\n")) == (1, 1)


def test_a_mail_server_is_told_to_keep_what_cannot_be_taken_in_now(
    senders: list[str], tmp_path: Path
) -> None:
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    for variable, value in (("DATABASE_URL", elsewhere), ("BOUNCES", "not an address")):
        later = pipe(about(senders[0], "5.1.1"), **{f"PAPERPOST_{variable}": value})
        assert (later.returncode, later.stdout, later.stderr.count(b"\n")) == (75, b"", 1)


def test_work_watches_the_folder(
    senders: list[str], installation: Installation, tmp_path: Path
) -> None:
    folder = Maildir(tmp_path / "Maildir", create=True)
    folder.add(about("bounces@papers.example.org", "5.1.1"))
    folder.add(about(senders[0], "abuse"))
    environment = {**os.environ, "PAPERPOST_BOUNCE_FOLDER": str(tmp_path / "Maildir")}
    with subprocess.Popen([*PAPERPOST, "work"], env=environment, stderr=subprocess.PIPE) as work:
        _wait_until(lambda: not list((tmp_path / "Maildir" / "new").iterdir()))
        work.terminate()
        _, log = work.communicate(timeout=30)
    assert b"counted=1" in log
    assert b"ignored=1" in log
    assert account.export(installation, "ada@example.org")["state"] == "unsubscribed"


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_the_settings_of_bounces_are_checked(tmp_path: Path) -> None:
    nowhere, maildir = tmp_path / "there" / "mbox", tmp_path / "Maildir"
    Maildir(maildir, create=True)
    for settings, complaint in (
        ({"bounces": "no address"}, "PAPERPOST_BOUNCES: not an e-mail address"),
        ({"bounces": "b" * 32 + "@x.org"}, "PAPERPOST_BOUNCES: must have at most 31 signs"),
        ({"bounces": "bücher@x.org"}, "PAPERPOST_BOUNCES: must have at most 31 signs, in ASCII"),
        ({"bounce_folder": maildir}, "PAPERPOST_BOUNCE_FOLDER needs PAPERPOST_BOUNCES"),
        ({"bounces": "b@x.org", "bounce_folder": tmp_path}, "no Maildir"),
        ({"bounces": "b@x.org", "bounce_folder": nowhere}, "there is no folder"),
        (
            {"bounces": "b@x.org", "bounce_folder": Path(os.devnull)},
            "neither a Maildir nor an mbox",
        ),
    ):
        with pytest.raises(SettingsError, match=complaint):
            load_settings(**settings)
    good = load_settings(bounces="b@bücher.example", bounce_folder=tmp_path / "to come")
    assert good.bounces == "b@xn--bcher-kva.example"
    assert load_settings(bounces="", bounce_folder="").bounce_folder is None
