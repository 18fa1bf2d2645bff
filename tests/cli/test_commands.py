"""The commands as a person or a script runs them: real processes, real files."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ready_process import run_command
from smtp_server import smtp_server

PAPERPOST = (sys.executable, "-m", "paperpost")

pytestmark = pytest.mark.usefixtures("bare_store")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_command(arguments, {**os.environ, **environment})


def done(*arguments: str, **environment: str) -> Any:
    """The JSON document of a command that succeeds; nothing else may stand on stdout."""
    result = run(*arguments, "--json", **environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def lines(papers: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(paper) for paper in papers) + "\n"


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """Two days of papers on two topics."""
    topics = {1: "graph neural networks for molecules", 2: "speech recognition of dialects"}
    path = tmp_path / "papers.jsonl"
    path.write_text(
        lines(
            [
                {
                    "id": f"2604.{day}{topic}{number:03}",
                    "announced": f"2026-04-0{day}",
                    "title": f"Study {day}{number} of {topics[topic]}",
                    "abstract": f"We study {topics[topic]} in setting {number}.",
                    "authors": ["Ada Lovelace"],
                    "categories": ["cs.LG"],
                }
                for day in (6, 7)
                for topic in topics
                for number in range(5)
            ]
        ),
        encoding="utf-8",
    )
    return path


def test_the_main_job_by_command(papers: Path, tmp_path: Path) -> None:
    done("upgrade")
    assert done("import", str(papers))["added"] == 20
    done("subscribe", "Ada@Example.org", "--keyword", "graph neural networks", "--size", "3",
         "--confirmed")  # fmt: skip
    assert done("train")["papers"] == 20
    ranked = done("rank", "ada@example.org", "--on", "2026-04-06")
    shown = {"paper", "title", "score", "probability", "reasons", "explored"}
    assert [shown & set(choice) for choice in ranked] == [shown] * 3
    assert all(choice["reasons"] for choice in ranked)
    assert done("digest", "--on", "2026-04-06")["queued"] == 1
    assert done("send")["sent"] == 1
    assert len(list((tmp_path / "home" / "mail").glob("*.eml"))) == 1
    done("vote", "ada@example.org", ranked[0]["paper"], "down")
    exported = done("export", "ada@example.org")
    assert [(vote["paper"], vote["value"]) for vote in exported["votes"]] == [
        (ranked[0]["paper"], -1)
    ]
    assert exported["digests"] == [
        {"date": "2026-04-06", "state": "sent", "papers": [choice["paper"] for choice in ranked]}
    ]
    assert exported["interests"]["keywords"] == ["graph neural networks"]
    done("vote", "ada@example.org", ranked[1]["paper"], "up")
    liked = run("export", "ada@example.org", "--bibtex").stdout
    assert liked == done("export", "ada@example.org", "--bibtex")["bibtex"]
    assert liked.count("@misc{") == 1
    assert ranked[1]["paper"] in liked
    assert done("status")["deliveries"]["digest"]["sent"] == 1
    done("delete", "ada@example.org")
    assert run("export", "ada@example.org").returncode == 1


def test_what_no_paper_has_is_told_when_it_is_asked_for(papers: Path, tmp_path: Path) -> None:
    done("upgrade")
    done("import", str(papers))
    asked = ("subscribe", "ada@example.org", "--keyword", "speech", "--keyword", "foobarology",
             "--threshold", "99", "--no-explore", "--revisions", "--confirmed")  # fmt: skip
    told = run(*asked, "--json")
    assert "No paper stored here mentions “foobarology” yet" in told.stderr
    assert "speech" not in told.stderr
    assert json.loads(told.stdout)["unknown_keywords"] == ["foobarology"]
    listed = tmp_path / "list.csv"
    listed.write_text("email,keywords\nben@example.org,foobarology;speech\n", encoding="utf-8")
    assert done("subscribe", "--file", str(listed))["unknown_keywords"] == ["foobarology"]
    exported = done("export", "ada@example.org")
    assert (exported["threshold"], exported["explore"]) == (99, False)
    assert exported["revisions"]
    assert (
        "probability" in run("rank", "ada@example.org", "--on", "2026-04-07", "--top", "1").stdout
    )


def test_failures_are_one_clear_line_and_status_one(tmp_path: Path) -> None:
    before = run("status")
    assert (before.returncode, before.stdout) == (1, "")
    assert before.stderr.count("\n") == 1
    assert "run `paperpost upgrade`" in before.stderr
    done("upgrade")
    for command in (
        ("rank", "nobody@example.org"),
        ("vote", "nobody@example.org", "2604.00001", "up"),
        ("export", "nobody@example.org"),
        ("digest", "--only", "nobody@example.org"),
        ("subscribe", "not an address"),
        ("subscribe", "--file", str(tmp_path / "missing.csv")),
        ("train",),
    ):
        result = run(*command, "--json")
        assert result.returncode == 1, command
        assert "Traceback" not in result.stderr, command


def test_wrong_usage_is_status_two() -> None:
    for command in (
        ("nonsense",),
        ("rank",),
        ("rank", "a@example.org", "--on", "yesterday"),
        ("vote", "a@example.org", "2604.00001", "sideways"),
        ("subscribe",),
        ("subscribe", "a@example.org", "--timezone", "Mars/Base"),
        ("subscribe", "a@example.org", "--hour", "25"),
        ("subscribe", "a@example.org", "--threshold", "100"),
        ("fetch", "gopher:old"),
    ):
        assert run(*command).returncode == 2, command


def test_wrong_settings_stop_every_command_with_one_line() -> None:
    for name, value in (
        ("PAPERPOST_PUBLIC_URL", "ftp://x"),
        ("PAPERPOST_FROM", "nobody"),
        ("PAPERPOST_SECRET_KEY", "short"),
        ("PAPERPOST_VOTE_HOLD_SECONDS", "soon"),
        ("PAPERPOST_SMTP_URL_FILE", "/nowhere/at/all"),
        ("PAPERPOST_SIGNUP", "opne"),
        ("PAPERPOST_DATABASE_URL", "mysql://x/y"),
    ):
        result = run("status", **{name: value})
        assert (result.returncode, result.stderr.count("\n")) == (1, 1), result.stderr
        assert name.removesuffix("_FILE") in result.stderr


def test_a_bad_line_is_rejected_by_its_number_and_the_rest_goes_in(tmp_path: Path) -> None:
    done("upgrade")
    good = {"id": "2604.00001", "announced": "2026-04-01", "title": "A real title", "abstract": ""}
    path = tmp_path / "some.jsonl"
    path.write_text(
        json.dumps(good)
        + "\n{not json\n"
        + lines([{**good, "announced": "2026-13-01"}, {**good, "id": "2604.00002"}]),
        encoding="utf-8",
    )
    result = done("import", str(path))
    assert (result["added"], result["updated"], result["skipped"]) == (2, 0, 0)
    assert [(r["file"], r["record"]) for r in result["rejected"]] == [
        (str(path), 2),
        (str(path), 3),
    ]
    assert all(rejected["reason"] for rejected in result["rejected"])
    again = done("import", str(path))
    assert (again["added"], again["updated"], again["skipped"]) == (0, 0, 2)


def test_files_that_hold_nothing_readable_fail(tmp_path: Path) -> None:
    done("upgrade")
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, nothing happened.", encoding="utf-8")
    result = run("import", str(path), str(tmp_path / "missing"), "--json")
    assert result.returncode == 1
    assert len(json.loads(result.stdout)["rejected"]) == 2


def test_many_subscribers_come_from_a_file(tmp_path: Path) -> None:
    done("upgrade")
    path = tmp_path / "lab.csv"
    path.write_text(
        "email,keywords,hour,frequency\n"
        "ada@example.org,graph neural networks;proteins,7,weekly\n"
        "not an address,x,,\n"
        "ben@example.org,,,\n"
        "cleo@example.org,speech,25,\n",
        encoding="utf-8",
    )
    result = done("subscribe", "--file", str(path), "--confirmed")
    assert (result["added"], result["updated"], result["skipped"]) == (2, 0, 0)
    assert [rejected["record"] for rejected in result["rejected"]] == [3, 5]
    ada, ben = done("export", "ada@example.org"), done("export", "ben@example.org")
    assert ada["interests"]["keywords"] == ["graph neural networks", "proteins"]
    assert (ada["hour"], ada["frequency"]) == (7, "weekly")
    assert (ben["timezone"], ben["hour"], ben["size"], ben["frequency"]) == ("UTC", 8, 10, "daily")
    again = done("subscribe", "--file", str(path), "--confirmed")
    assert (again["added"], again["updated"], again["skipped"]) == (0, 0, 2)


def test_an_unconfirmed_subscriber_is_mailed_a_confirmation_and_no_digest(papers: Path) -> None:
    done("upgrade")
    done("import", str(papers))
    assert done("subscribe", "ada@example.org", "--keyword", "graphs")["state"] == "pending"
    assert done("digest", "--on", "2026-04-06")["queued"] == 0
    assert done("send")["sent"] == 1
    assert done("status")["deliveries"]["confirmation"]["sent"] == 1


@pytest.mark.sqlite_only("PostgreSQL has a copy of the snapshot")
def test_a_broken_snapshot_means_a_line_and_a_new_training(papers: Path, tmp_path: Path) -> None:
    done("upgrade")
    done("import", str(papers))
    done("subscribe", "ada@example.org", "--keyword", "graph neural networks", "--confirmed")
    done("train")
    expected = done("rank", "ada@example.org", "--on", "2026-04-07")
    folder = tmp_path / "home" / "models"
    for spoil in (lambda path: path.write_bytes(path.read_bytes()[:1000]), Path.unlink):
        spoil(max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns))
        result = run("rank", "ada@example.org", "--on", "2026-04-07", "--json")
        assert result.returncode == 0, result.stderr
        assert "training again" in result.stderr
        assert json.loads(result.stdout) == expected


def test_help_and_send_load_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys\n"
        "import paperpost.cli, paperpost.service.deliver\n"
        "heavy = {'sklearn', 'implicit', 'scipy', 'numpy', 'fastapi', 'apscheduler'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"


def test_the_help_names_every_command_of_the_readme() -> None:
    shown = run("--help", COLUMNS="200").stdout
    for command in ("demo", "upgrade", "fetch", "import", "subscribe", "export", "delete", "train",
                    "rank", "digest", "send", "vote", "work", "serve", "status"):  # fmt: skip
        assert f" {command} " in shown


def test_an_address_is_one_however_it_is_written(papers: Path) -> None:
    done("upgrade")
    done("import", str(papers))
    done("subscribe", "Ada@Example.org", "--keyword", "graphs", "--confirmed")
    assert done("digest", "--on", "2026-04-06", "--only", "ADA@example.ORG")["queued"] == 1
    done("vote", "Ada@Example.org", "2604.61000", "up")
    assert len(done("export", "ADA@EXAMPLE.ORG")["votes"]) == 1


def test_a_bad_line_of_a_list_is_rejected_by_its_number(tmp_path: Path) -> None:
    done("upgrade")
    path = tmp_path / "lab.csv"
    path.write_bytes(
        b"Email,keywords,hour,shoe size\n"
        b"ada@example.org,graphs,00000000099,39\n"
        b"jos\xe9@example.org,graphs,8,40\n"
        b"ben@example.org,caf\xe9,8,41\n"
        b"cleo@example.org,graphs,8,42\n"
    )
    result = run("subscribe", "--file", str(path), "--confirmed", "--json")
    document = json.loads(result.stdout)
    assert document["added"] == 1
    assert [rejected["record"] for rejected in document["rejected"]] == [2, 3, 4]
    assert "shoe size" in result.stderr


def test_deleting_takes_the_mails_that_are_files_along(papers: Path, tmp_path: Path) -> None:
    done("upgrade")
    done("import", str(papers))
    for email in ("ada@example.org", "not-ada@example.org"):
        done("subscribe", email, "--keyword", "graphs", "--confirmed")
    done("digest", "--on", "2026-04-06")
    assert done("send")["sent"] == 2
    done("delete", "ada@example.org")
    (left,) = (tmp_path / "home" / "mail").iterdir()
    assert "-not-ada@example.org-" in left.name


@pytest.mark.sqlite_only("with PostgreSQL the key is a setting")
def test_an_unusable_key_is_an_error_before_any_mail_is_touched(
    papers: Path, tmp_path: Path
) -> None:
    done("upgrade")
    done("import", str(papers))
    done("subscribe", "ada@example.org", "--keyword", "graphs", "--confirmed")
    done("digest", "--on", "2026-04-06")
    key = tmp_path / "home" / "secret.key"
    kept = key.read_text(encoding="ascii")
    key.write_text("", encoding="ascii")
    result = run("send")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    key.write_text(kept, encoding="ascii")
    assert done("send")["sent"] == 1
    key.unlink()
    assert "links in earlier mails are dead" in run("status").stderr


@pytest.mark.sqlite_only("the rights of the file")
def test_nobody_else_on_the_machine_reads_the_database(tmp_path: Path) -> None:
    done("upgrade")
    home = tmp_path / "home"
    assert (home / "paperpost.db").stat().st_mode & 0o077 == 0
    assert home.stat().st_mode & 0o077 == 0


@pytest.mark.sqlite_only("the home is made for the file")
def test_a_home_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run("upgrade", PAPERPOST_HOME=str(tmp_path / "file"))
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)


def test_why_a_mail_failed_stands_in_the_status(papers: Path) -> None:
    done("upgrade")
    done("import", str(papers))
    done("subscribe", "ada@example.org", "--keyword", "graphs", "--confirmed")
    done("digest", "--on", "2026-04-06")
    with smtp_server() as postbox:
        postbox.refuse = {"ada@example.org": "550 5.1.1 no such user"}
        done("send", PAPERPOST_SMTP_URL=postbox.url)
    (wrong,) = [line for line in done("status")["wrong"] if "ada@example.org" in line]
    assert "no such user" in wrong
