"""schemathesis asks the API what its document allows and what it forbids, and looks whether each
answer is what the document says."""

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import schemathesis
from doors import DAY, Doors
from invented import fill, join, with_settings
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.types import ASGIApp, Receive, Scope, Send

from paperpost.engine.runs import compose_all_of
from paperpost.service import links, tokens, vote
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.train import train
from paperpost.web.app import create_app

if TYPE_CHECKING:
    from site_on_stage import Stage

pytest_plugins = ["site_on_stage"]

# They end the tokens that all others need.
ENDING = ["delete_me", "renew_links"]
# The server's own answer where a header that was made up breaks the frame of a request, as a
# `Content-Length` does that is no number: the API never sees it.
NO_HTTP = b"Invalid HTTP request received."


@pytest.fixture
def doors(installation: Installation) -> Doors:
    """Ada's, where there is something of everything."""
    here = with_settings(installation, signups_per_hour=1_000_000)
    papers = fill(here, [DAY])
    email = join(here, "ada", "graph neural networks", "speech")
    for paper in papers[:3]:
        vote.cast_by_command(here, email, paper.id, "up")
    train(here)
    compose_all_of(here, DAY)
    return Doors(here, email, papers[0].id)


class EachFromElsewhere:
    """Gives every request another client: how much one may ask is not the question here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = ip_address(0x0A000000 + next(self._numbers))
        await self._app({**scope, "client": (str(address), 1)}, receive, send)


@pytest.fixture
def site(doors: Doors, stage: "Stage") -> httpx.Client:
    stage.app = EachFromElsewhere(create_app(doors.installation))
    return stage.client


def bearers(doors: Doors) -> dict[str, str]:
    """A token for each security scheme of the document."""
    here = doors.installation
    return {
        "token": tokens.lasting(here, doors.subscriber()),
        "fresh token": doors.token(Purpose.ACCESS),
        "operator's token": links.operator_url(here, here.clock()).rpartition("/")[2],
    }


def findings(
    site: httpx.Client,
    shown: dict[str, str],
    examples: int,
    *,
    ending: bool = False,
    thorough: bool = False,
) -> Iterator[str]:
    """What all checks object to, with a command that shows it; without tokens if none is shown."""
    settings: dict[str, Any] = {
        "seed": 1,
        "continue-on-failure": True,
        "generation": {"max-examples": examples, "database": "none"},
        "phases": {
            "stateful": {"enabled": thorough},
            "coverage": {
                "enabled": bool(shown),
                # It asks twice more for each case; what the other phases ask is enough.
                "checks": {"ignored_auth": {"enabled": thorough}},
            },
        },
    }
    if thorough:
        # One person may look 2400 times a minute, and post as often.
        settings |= {"rate-limit": "2000/m", "max-time": 90}
    if shown:
        schemes = {name: {"bearer": token} for name, token in shown.items()}
        settings["auth"] = {"openapi": schemes}
    document = schemathesis.openapi.from_url(
        f"{site.base_url}/api/openapi.json", config=SchemathesisConfig.from_dict(settings)
    )
    choose = document.include if ending else document.exclude
    schema = choose(operation_id=ENDING)
    cases = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            yield f"{event.label}: {event.value}"
        elif isinstance(event, events.FatalError):
            yield repr(event.exception)
        elif isinstance(event, events.ScenarioFinished):
            cases += len(event.recorder.cases)
            yield from _failures(event)
    assert cases > 20


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for case, checks in event.recorder.checks.items():
        asked = event.recorder.interactions.get(case)
        if asked and asked.response and asked.response.content == NO_HTTP:
            continue
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                yield f"{check.name}, {failure.message}\n{check.failure_info.code_sample}"


def test_schemathesis_finds_nothing(doors: Doors, site: httpx.Client) -> None:
    assert list(findings(site, bearers(doors), 2)) == []


def test_schemathesis_finds_nothing_without_a_token(site: httpx.Client) -> None:
    assert list(findings(site, {}, 1)) == []


def test_schemathesis_finds_nothing_in_what_ends_tokens(doors: Doors, site: httpx.Client) -> None:
    assert list(findings(site, bearers(doors), 2, ending=True)) == []


@pytest.mark.slow
def test_schemathesis_finds_nothing_in_a_long_look(doors: Doors, site: httpx.Client) -> None:
    assert list(findings(site, bearers(doors), 10, thorough=True)) == []
