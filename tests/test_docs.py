"""The docs are true: they name what there is, and what they name is there."""

import re

import pytest
from conftest import REPOSITORY

from paperpost.cli import app
from paperpost.settings import SECRETS, Settings

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SETTINGS = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
ARCHITECTURE = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
PYPROJECT = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")


def test_the_settings_page_names_every_setting_and_no_other() -> None:
    fields = {"from" if name == "sender" else name for name in Settings.model_fields}
    named = set(re.findall(r"^\| `PAPERPOST_([A-Z_]+)`", SETTINGS, re.MULTILINE))
    assert named == {name.upper() for name in fields}


def test_the_settings_page_marks_the_secrets_that_may_be_files() -> None:
    marked = re.findall(r"^\| `PAPERPOST_([A-Z_]+)` \*", SETTINGS, re.MULTILINE)
    assert sorted(name.lower() for name in marked) == sorted(SECRETS)


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("PUBLIC_URL", Settings.model_fields["public_url"].default),
        ("FROM", Settings.model_fields["sender"].default),
        ("SOURCES", Settings.model_fields["sources"].default[0]),
        ("SMTP_CONNECTIONS", str(Settings.model_fields["smtp_connections"].default)),
        ("DKIM_SELECTOR", Settings.model_fields["dkim_selector"].default),
        ("VOTE_HOLD_SECONDS", str(Settings.model_fields["vote_hold_seconds"].default)),
    ],
)
def test_the_settings_page_tells_the_true_default(name: str, default: str) -> None:
    (row,) = re.findall(rf"^\| `PAPERPOST_{name}` \| (.*)", SETTINGS, re.MULTILINE)
    assert default in row


def test_the_readme_fits_on_a_first_screen() -> None:
    assert len(README.split()) <= 400


def test_the_pictures_are_there_and_none_is_left_over() -> None:
    for picture in re.findall(r'src="([^"]+)"', README):
        assert (REPOSITORY / picture).is_file()
    docs = REPOSITORY / "docs"
    shown = re.findall(r"pictures/[\w-]+\.png", (docs / "mail.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(f"pictures/{file.name}" for file in docs.glob("pictures/*.png"))


def test_every_dependency_has_its_line_in_contributing() -> None:
    block = re.search(r"^dependencies = \[(.*?)^\]", PYPROJECT, re.MULTILINE | re.DOTALL)
    assert block is not None
    names = re.findall(r'^\s*"([a-z0-9-]+)', block[1], re.MULTILINE)
    assert names
    assert [name for name in names if name not in CONTRIBUTING] == []


def test_the_rooms_of_the_architecture_are_the_rooms_of_the_house() -> None:
    for room in ("demo", "web", "engine", "service", "store", "sources"):
        assert (REPOSITORY / "paperpost" / room).is_dir()
        assert f"  {room}/" in ARCHITECTURE
    files = {path.stem for path in (REPOSITORY / "paperpost" / "service").glob("[a-z]*.py")}
    told = ARCHITECTURE.split("service/", 1)[1].split("store/", 1)[0]
    assert [name for name in sorted(files) if name not in told] == []


def test_constraints_pin_names_and_versions_only() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.!+]+", pin) for pin in pins)


def test_every_command_has_one_line_of_help_and_takes_json() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert (command.callback.__doc__ or "").strip()
        assert "as_json" in command.callback.__annotations__
