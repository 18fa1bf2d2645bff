"""operator and token: addresses and tokens that open something."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from test_commands import done, run

from paperpost.service import links, tokens
from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store.database import Database


@pytest.fixture
def installation(store_url: str) -> Iterator[Installation]:
    """The one that the commands work on."""
    opened = Installation(load_settings(), Database(store_url))
    yield opened
    opened.close()


def test_operator_prints_an_address_that_opens_the_page_for_ninety_days(
    installation: Installation,
) -> None:
    printed = run("operator").stdout
    told = done("operator")
    until = datetime.fromisoformat(told["until"])
    assert timedelta(days=89) < until - datetime.now(UTC) <= timedelta(days=90)
    for url in (printed.strip(), told["url"]):
        base, _, token = url.rpartition("/")
        assert base == f"{installation.settings.public_url}/operator"
        links.require_operator(installation, token)


def test_token_prints_a_token_of_that_subscriber(installation: Installation) -> None:
    done("subscribe", "ada@example.org", "--confirmed")
    lasting = tokens.holder_of(installation, run("token", "ada@example.org").stdout.strip())
    assert (lasting.person.email, lasting.is_fresh) == ("ada@example.org", False)
    told = done("token", "ada@example.org", "--fresh")
    assert tokens.holder_of(installation, told["token"]).is_fresh
    stranger = run("token", "eve@example.org")
    assert (stranger.returncode, stranger.stdout) == (1, "")
    assert stranger.stderr == "paperpost: eve@example.org is not a subscriber\n"
