"""`paperpost backup` and `restore` as real processes, beside a `work` that runs."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ready_process import run_command
from stores import Stores

PAPERPOST = (sys.executable, "-m", "paperpost")


@pytest.fixture
def papers(tmp_path: Path, bare_store: None) -> Path:
    """An installation that holds a paper and a reader."""
    paper = {"id": "2604.00001", "announced": "2026-04-01", "title": "Geese", "abstract": "x" * 9}
    (tmp_path / "papers.jsonl").write_text(json.dumps(paper), encoding="utf-8")
    for arguments in (
        ("upgrade",),
        ("import", "papers.jsonl"),
        ("subscribe", "ada@example.org", "--keyword", "geese", "--confirmed"),
    ):
        run_command(arguments, os.environ).check_returncode()
    return tmp_path


def _run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [*PAPERPOST, *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **more)


def test_a_backup_is_taken_while_work_runs_and_restored_when_it_has_ended(papers: Path) -> None:
    environment = {**os.environ, "PAPERPOST_SOURCES": ""}
    with subprocess.Popen(
        [*PAPERPOST, "work"], env=environment, stderr=subprocess.PIPE, text=True
    ) as work:
        assert work.stderr is not None
        assert any("working" in line for line in work.stderr)  # not always the first line
        told = json.loads(_run("backup", "kept", "--json").stdout)
        refused = _run("restore", "kept", "--force")
        work.send_signal(signal.SIGTERM)
        work.communicate(timeout=40)
    assert told["rows"]["paper"] == told["rows"]["subscriber"] == 1
    assert told["bytes"] == (papers / "kept").stat().st_size
    assert refused.returncode == 1
    assert b"stop every `serve` and `work` first" in refused.stderr
    done = _run("restore", "kept", "--force", "--json")
    assert json.loads(done.stdout)["rows"] == told["rows"]


def test_a_backup_goes_through_a_pipe(papers: Path, stores: Stores) -> None:
    piped = _run("backup", "-")
    (papers / "piped").write_bytes(piped.stdout)
    assert b"as secret as the database" in piped.stderr
    elsewhere = papers / "elsewhere"
    url = stores.make_bare(elsewhere)
    there = {"PAPERPOST_HOME": str(elsewhere), "PAPERPOST_DATABASE_URL": url}
    done = _run("restore", "piped", "--json", env={**os.environ, **there})
    assert json.loads(done.stdout)["rows"]["paper"] == 1
    again = _run("restore", "-", "--force", env={**os.environ, **there}, input=piped.stdout)
    assert again.returncode == 0, again.stderr
    assert not [path for path in elsewhere.iterdir() if "tmp" in path.name]
    stores.drop(url)
    cut = _run("restore", "-", env={**os.environ, **there}, input=piped.stdout[:99])
    assert (cut.returncode, cut.stderr.count(b"\n")) == (1, 1)
    assert _run("backup", "-", "--json").returncode == 2


def test_a_pipe_that_ends_too_soon_is_no_success(papers: Path) -> None:
    with subprocess.Popen(
        [*PAPERPOST, "backup", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as backup:
        assert backup.stdout is not None
        assert backup.stderr is not None
        backup.stdout.close()
        said = backup.stderr.read()
        assert backup.wait(40) == 1
    assert said.decode().startswith("paperpost: the backup is not whole")
    assert said.count(b"\n") == 1


@pytest.mark.sqlite_only("with PostgreSQL the key is a setting")
def test_where_the_key_is_missing_no_other_one_is_backed_up(papers: Path) -> None:
    (key,) = papers.rglob("secret.key")
    key.unlink()
    for where in ("kept", "-"):
        failed = _run("backup", where)
        assert (failed.returncode, failed.stdout, failed.stderr.count(b"\n")) == (1, b"", 1)
        assert b"PAPERPOST_SECRET_KEY is not set here" in failed.stderr
    assert not key.exists()
    assert not (papers / "kept").exists()


# A command that gets a signal, its last argument, as it begins to write a backup.
STOPPED = """
import os, signal, sys
number = int(sys.argv.pop())
def watch(frame, event, argument):
    if event == "call" and frame.f_code.co_name == "write":
        if frame.f_code.co_filename.endswith("backup_file.py"):
            sys.setprofile(None)
            os.kill(os.getpid(), number)
sys.setprofile(watch)
from paperpost.cli import main
main()
"""


def test_a_backup_that_is_stopped_leaves_no_keys_behind(papers: Path) -> None:
    folder = papers / "backups"
    folder.mkdir()
    backup = (str(folder / "kept"), "--json")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        command = [sys.executable, "-c", STOPPED, "backup", *backup, str(int(number))]
        stopped = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert stopped.returncode == (128 + number if number != signal.SIGKILL else -number)
        assert len(list(folder.iterdir())) == (number == signal.SIGKILL), number
    (folder / ".other.x.partial").touch()
    assert _run("backup", *backup).returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == [".other.x.partial", "kept"]


def test_a_full_disk_leaves_nothing_behind(papers: Path) -> None:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    folder = papers / "backups"
    folder.mkdir()
    _run("status")  # the write-ahead log has its files
    failed = _run("backup", str(folder / "kept"), preexec_fn=no_room)
    assert failed.returncode == 1
    assert failed.stderr.count(b"\n") == 1
    assert list(folder.iterdir()) == []


def test_a_file_that_is_not_there_is_one_clear_line(papers: Path) -> None:
    missing = _run("restore", "nowhere")
    assert (missing.returncode, missing.stdout) == (1, b"")
    assert missing.stderr == b"paperpost: nowhere: No such file or directory\n"
