"""preview, resend and doctor, as a person or a script runs them."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from invented import fill, join
from test_commands import done, run

from paperpost.engine.runs import compose_all_of
from paperpost.service.deliver import send
from paperpost.service.installation import Installation

DAY = date(2026, 4, 7)


@pytest.fixture
def office(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of mails of an installation that the commands use too, with ada's digest in it."""
    monkeypatch.setenv("PAPERPOST_SECRET_KEY", installation.settings.secret_key[0])
    fill(installation, [DAY])
    join(installation, "ada", "graph neural networks", size=2)
    compose_all_of(installation, DAY)
    assert send(installation).sent == 1
    return installation.settings.mail_folder


def test_a_digest_is_sent_again_on_purpose(office: Path) -> None:
    (file,) = office.iterdir()
    before = file.read_bytes()
    file.unlink()
    again = done("resend", "ada@example.org", "2026-04-07")
    assert (again["date"], again["was"], again["papers"]) == ("2026-04-07", "sent", 2)
    assert again["message_id"].encode() in before
    refused = run("resend", "ada@example.org", "2026-04-07", "--json")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert "`paperpost send`" in refused.stderr
    assert done("send")["sent"] == 1
    assert file.read_bytes() == before
    assert run("resend", "ada@example.org", "yesterday").returncode == 2


def test_a_preview_is_a_file_and_nothing_is_sent(
    office: Path, installation: Installation, tmp_path: Path
) -> None:
    nothing = done("preview", "ada@example.org")
    assert (nothing["file"], nothing["papers"]) == (None, [])
    assert nothing["silence"]
    fill(installation, [datetime.now(UTC).date() - timedelta(days=1)])
    shown = done("preview", "Ada@Example.org")
    assert len(shown["papers"]) == 2
    file = tmp_path / shown["file"]
    assert file.name == f"preview-ada@example.org-{shown['date']}.eml"
    assert file.stat().st_mode & 0o077 == 0
    mail = message_from_bytes(file.read_bytes())
    assert (mail["To"], mail["Subject"]) == ("ada@example.org", shown["subject"])
    page = run("preview", "ada@example.org", "--output", "page.html")
    assert page.stdout == f"{shown['subject']}\npage.html\n"
    assert (tmp_path / "page.html").read_text(encoding="utf-8").lstrip().startswith("<!")
    assert len(list(office.iterdir())) == 1


def test_the_doctor_says_whether_all_is_well(office: Path) -> None:
    healthy = done("doctor", "--mail", "ada@example.org")
    assert healthy["healthy"] is True
    assert {tuple(check) for check in healthy["checks"]} == {("name", "state", "detail")}
    assert len(list(office.iterdir())) == 2
    ill = run("doctor", "--json", PAPERPOST_SMTP_URL="smtp://127.0.0.1:1", PAPERPOST_SMPT_URL="x")
    assert (ill.returncode, ill.stderr.count("\n")) == (1, 1)
    states = {check["name"]: check["state"] for check in json.loads(ill.stdout)["checks"]}
    assert (states["mail"], states["sender"], states["settings"]) == ("fail", "fail", "warn")
    assert run("doctor", "--mail", "nobody").returncode == 2


def test_what_is_wrong_with_the_settings_is_one_line_of_every_command(office: Path) -> None:
    mistyped = run("status", "--json", PAPERPOST_SMPT_URL="smtp://localhost")
    assert mistyped.returncode == 0
    assert mistyped.stderr == "PAPERPOST_SMPT_URL sets nothing: is PAPERPOST_SMTP_URL meant?\n"
    keyless = run("send", PAPERPOST_DKIM_KEY="none")
    assert (keyless.returncode, keyless.stderr.count("\n")) == (1, 1)
    assert "PAPERPOST_DKIM_KEY" in keyless.stderr


def test_what_only_some_commands_need_is_loaded_by_them_alone() -> None:
    code = (
        "import sys\n"
        "import paperpost.cli, paperpost.service.deliver\n"
        "print(sorted({'cryptography', 'dns', 'httpx', 'numpy'} & set(sys.modules)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"
