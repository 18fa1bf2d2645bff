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

PAPERPOST = (sys.executable, "-m", "paperpost")


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """An installation that holds a paper and a reader."""
    paper = {"id": "2604.00001", "announced": "2026-04-01", "title": "Geese", "abstract": "x" * 9}
    (tmp_path / "papers.jsonl").write_text(json.dumps(paper), encoding="utf-8")
    for arguments in (
        ["upgrade"],
        ["import", "papers.jsonl"],
        ["subscribe", "ada@example.org", "--keyword", "geese", "--confirmed"],
    ):
        subprocess.run([*PAPERPOST, *arguments], check=True, capture_output=True)
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
        assert "working" in work.stderr.readline()
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


def test_a_backup_goes_through_a_pipe(papers: Path) -> None:
    piped = _run("backup", "-")
    (papers / "piped").write_bytes(piped.stdout)
    assert b"as secret as the database" in piped.stderr
    done = _run("restore", "piped", "--json", env={**os.environ, "PAPERPOST_HOME": "elsewhere"})
    assert json.loads(done.stdout)["rows"]["paper"] == 1
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
