"""The example in the docs, by plain curl."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from conftest import REPOSITORY
from doors import DAY
from invented import Clock, fill

from paperpost.service import links
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.train import train

pytest_plugins = ["site_on_stage"]

DOCS = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)


def with_json() -> bool:
    """Whether there is a curl that knows --json (7.82, of 2022)."""
    curl = shutil.which("curl")
    if curl is None:
        return False
    asked = subprocess.run([curl, "--help", "all"], capture_output=True, text=True, check=False)
    return "--json" in asked.stdout


def block(first: str) -> str:
    """The commands of the block in which those words come first."""
    return next(str(one) for one in BLOCKS if first in one)


def commands(name: str, **variables: str) -> list[Any]:
    """Run a block as it stands; what each command answered, from JSON where it is that."""
    answers = []
    for line in block(name).splitlines():
        done = subprocess.run(
            ["bash", "-euc", line],
            env={"PATH": os.environ["PATH"], "no_proxy": "*", **variables},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        is_json = done.stdout.startswith(("{", "["))
        answers.append(json.loads(done.stdout) if is_json else done.stdout)
    return answers


@pytest.mark.skipif(not with_json(), reason="needs curl 7.82 or newer")
def test_the_commands_of_the_docs_do_what_the_docs_say(
    installation: Installation,
    browse_site: Callable[[Installation], httpx.Client],
    clock: Clock,
) -> None:
    fill(installation, [DAY])
    train(installation)
    site = str(browse_site(installation).base_url).rstrip("/")

    newest, trending, paper, similar, found, preview = commands("days/newest", SITE=site)
    assert newest["total"] == 12
    assert trending["papers"] == []
    assert paper["id"] == "2604.07000"
    assert similar["papers"]
    assert found["hits"]
    assert preview["papers"]

    commands("api/subscribe", SITE=site)
    confirm = mailed(installation, "confirm")
    assert commands("CONFIRM", SITE=site, CONFIRM=confirm) == [{"state": "active"}]
    commands("api/link", SITE=site)
    fresh = mailed(installation, "access")
    (lasting,) = commands("api/me/token", SITE=site, FRESH=fresh)
    token = lasting["token"]

    me, ranking, digests, cast, votes, changed, muted, named = commands(
        "api/me/ranking", SITE=site, TOKEN=token
    )
    assert me["state"] == "active"
    assert len(ranking) == 5
    assert digests["total"] == 0
    assert cast == {"paper": "2604.07000", "value": "up"}
    assert [one["origin"] for one in votes["votes"]] == ["api"]
    assert (changed["hour"], changed["timezone"]) == (7, "Europe/Berlin")
    assert muted["muted"] == ["survey"]
    assert named["named"][0]["keywords"] == ["speech recognition"]
    (taken,) = commands("api/me/library", SITE=site, TOKEN=token)
    assert taken["added_votes"] == 2

    operator = links.operator_url(installation, clock()).rpartition("/")[2]
    (overview,) = commands("api/operator", SITE=site, OPERATOR=operator)
    assert overview["subscribers"]["active"] == 1

    exported, bibtex, gone = commands("api/me/export", SITE=site, FRESH=fresh)
    assert exported["email"] == "ada@example.org"
    assert "@misc" in bibtex
    assert gone == ""
    with pytest.raises(AssertionError, match="401"):
        commands("api/me/ranking", SITE=site, TOKEN=token)


def mailed(installation: Installation, door: str) -> str:
    """The token in the newest mail that leads to that door."""
    send(installation)
    mails = sorted(installation.settings.mail_folder.glob("*.eml"), key=os.path.getmtime)
    text = mails[-1].read_text(encoding="utf-8").replace("=\n", "")
    found = re.search(rf"/{door}/([\w-]+)", text)
    assert found is not None
    return found[1]
