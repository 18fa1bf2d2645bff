"""What deploy/ ships is sound: for the tools that will read it, and by what we promise of it."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from ruamel.yaml import YAML

from paperpost.settings import SECRETS, load_settings, unknown_variables

DEPLOY = REPOSITORY / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
PROGRAMS = Path(sys.executable).parent
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))
# Of ten: what systemd calls fine ends at 2.
MOST_EXPOSED = 2.0


def run(command: Sequence[str | Path], folder: Path = REPOSITORY) -> str:
    """What a command that has to succeed says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def composed() -> dict[str, Any]:
    """compose.yaml with what its anchors stand for."""
    document: dict[str, Any] = YAML(typ="safe").load(COMPOSE)
    return document


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = composed()["services"]
    return found


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    assert run([PROGRAMS / "hadolint", DEPLOY / "Dockerfile"]) == ""


def test_the_image_is_built_from_all_that_the_wheel_is_made_of() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = {path.partition("/")[0] for path in [*wheel["packages"], *wheel["force-include"]]}
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE))
    let_in = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert copied == wanted
    assert {f"!{name}" for name in wanted} <= set(let_in)


def test_compose_yaml_follows_the_compose_specification() -> None:
    run([PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE])


def test_docker_compose_takes_compose_yaml(tmp_path: Path) -> None:
    folder = tmp_path / "deploy"
    shutil.copytree(DEPLOY, folder)
    shutil.copy(folder / "paperpost.env.example", folder / "paperpost.env")
    run([*compose_command(folder / "compose.yaml"), "config", "--quiet"], folder)


def compose_command(file: Path) -> list[str]:
    """How this machine's Compose reads a file; the test is skipped where there is none."""
    if shutil.which("docker") and not subprocess.call(
        ["docker", "compose", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ):
        return ["docker", "compose", "--file", str(file)]
    if not shutil.which("docker-compose"):
        pytest.skip("neither `docker compose` nor docker-compose is installed")
    # Version 1 knows all that we use but the project's name.
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"^name: .*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    return ["docker-compose", "--project-name", "paperpost", "--file", str(file)]


@pytest.mark.parametrize("name", services())
def test_a_container_may_change_nothing_but_its_volumes_and_has_no_rights(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "mem_limit" in service


def test_one_port_is_open_and_for_this_machine_alone() -> None:
    opened = {name: one["ports"] for name, one in services().items() if "ports" in one}
    assert opened == {"web": ["127.0.0.1:8000:8000"]}


def test_database_and_dask_cannot_be_reached_from_outside() -> None:
    assert composed()["networks"]["inside"]["internal"] is True
    for name in ("database", "scheduler", "worker"):
        assert services()[name]["networks"] == ["inside"], name


def test_only_the_gateway_of_the_outer_network_may_say_whose_request_it_is() -> None:
    (network,) = composed()["networks"]["outside"]["ipam"]["config"]
    trusted = services()["web"]["environment"]["PAPERPOST_TRUSTED_PROXIES"]
    assert trusted == network["gateway"]


def test_pages_and_mails_wait_for_the_migration() -> None:
    for name in ("web", "work", "worker"):
        waits_for = services()[name]["depends_on"]["upgrade"]["condition"]
        assert waits_for == "service_completed_successfully"


def test_secrets_are_files_and_nothing_sets_what_is_no_setting() -> None:
    environment = services()["web"]["environment"]
    given = {name for name in environment if name.endswith("_FILE")}
    assert given <= {f"PAPERPOST_{name.upper()}_FILE" for name in SECRETS}
    for name in given:
        assert environment[name].removeprefix("/run/secrets/") in services()["web"]["secrets"]
    assert unknown_variables([*environment, *settings_of_the_containers()]) == []


def settings_of_the_containers() -> dict[str, str]:
    lines = (DEPLOY / "paperpost.env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_settings_to_begin_with_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(DEPLOY / "paperpost.toml.example", tmp_path / "paperpost.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PAPERPOST_HOME")
    assert load_settings().home == Path("/var/lib/paperpost")
    for name, value in settings_of_the_containers().items():
        monkeypatch.setenv(name, value)
    assert load_settings().public_url == settings_of_the_containers()["PAPERPOST_PUBLIC_URL"]


def systemd_analyze(*arguments: str | Path) -> str:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    return run(["systemd-analyze", *arguments])


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    copies = []
    for path in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]:
        text = path.read_text(encoding="utf-8")
        copies.append(tmp_path / path.name)
        # It looks whether the program is there.
        copies[-1].write_text(text.replace("/opt/paperpost/bin", str(PROGRAMS)), encoding="utf-8")
    assert systemd_analyze("verify", "--man=no", *copies) == ""


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_may_do_little_by_the_judgement_of_systemd(unit: str) -> None:
    limit = f"--threshold={MOST_EXPOSED * 10:.0f}"
    systemd_analyze("security", "--offline=true", limit, "--no-pager", DEPLOY / unit)


@pytest.mark.parametrize("program", ["scheduler", "worker"])
def test_dask_takes_what_it_is_told_and_opens_no_port_to_everybody(program: str) -> None:
    module = pytest.importorskip(f"distributed.cli.dask_{program}")
    known = {name for one in module.main.params for name in (*one.opts, *one.secondary_opts)}
    unit = (DEPLOY / f"paperpost-{program}.service").read_text(encoding="utf-8")
    page = (REPOSITORY / "docs" / "engines.md").read_text(encoding="utf-8")
    for text in (unit, page):
        found = re.findall(rf"dask {program} (?:.*\\\n)*.*", text)
        (command,) = [one for one in found if "--" in one]
        options = set(re.findall(r" (--[a-z-]+)", command))
        assert options <= known
        assert {"--host", "--dashboard-address"} <= options
        if program == "worker":
            assert {"--worker-port", "--nanny-port"} <= options


def test_a_unit_lets_leases_be_judged() -> None:
    # A hidden process is taken for dead, and its mails are sent again (service/leases.py).
    unit = (DEPLOY / "paperpost.service").read_text(encoding="utf-8")
    assert not re.search(r"^(ProtectProc|ProcSubset)=", unit, re.MULTILINE)


def test_wherever_workers_of_dask_start_they_have_the_same_settings() -> None:
    setting = r"((?:MALLOC|DASK)_\w+)=(\w+)"
    kept = re.findall(setting, (REPOSITORY / "docs" / "engines.md").read_text(encoding="utf-8"))
    assert len(kept) == 7
    unit = (DEPLOY / "paperpost-worker.service").read_text(encoding="utf-8")
    assert re.findall(setting, unit) == kept
    environment = services()["worker"]["environment"]
    assert [(name, environment[name]) for name, _ in kept] == kept
    assert environment.items() >= services()["work"]["environment"].items()
