"""What the operator can read of the requests that were made."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from invented import Clock

from paperpost.service import asked
from paperpost.service.doctor.hosts import hosts as examined
from paperpost.service.installation import Installation
from paperpost.store import requests, turns
from paperpost.store.tables import Request

RSS, OAI = "rss.arxiv.org", "oaipmh.arxiv.org"


def ask(installation: Installation, host: str, *statuses: int | None, said: str = "") -> None:
    """Requests of now that ended so."""
    now = installation.clock()
    with installation.database.writing() as session:
        for status in statuses:
            url = f"https://{host}/papers"
            request = Request(
                host=host, url=url, asked_at=now, seconds=0.5, status=status, size=2048, said=said
            )
            requests.log(session, request)


def test_a_host_is_told_with_its_aliases_and_its_last_answer(
    any_installation: Installation, clock: Clock
) -> None:
    ask(any_installation, RSS, 500)
    clock.turn(hours=25)
    ask(any_installation, RSS, 200, 200, None)
    clock.turn(hours=1)
    ask(any_installation, OAI, 503, said="Retry-After: 600")
    with any_installation.database.writing() as session:
        turns.close(session, "arxiv.org", clock.now + timedelta(minutes=10))
    ask(any_installation, "api.biorxiv.org", 200)
    biorxiv, arxiv = asked.hosts(any_installation)
    assert arxiv.answers == {"200": 2, "503": 1, "no answer": 1}
    assert (arxiv.requests, arxiv.failed) == (4, 2)
    assert arxiv.sentence == (
        "4 requests in 24 hours, the last: 503 (Retry-After: 600); failed: 1 with 503, "
        "1 with no answer; to be left alone until 2026-04-08 11:10 UTC"
    )
    assert (biorxiv.name, biorxiv.sentence) == ("api.biorxiv.org", "1 request, the last: 200")
    assert [check.state for check in examined(any_installation)] == ["ok", "warn"]
    newest = asked.newest(any_installation, 2, "arxiv.org")
    assert [(one.host, one.status) for one in newest] == [(OAI, 503), (RSS, None)]


def test_a_gap_between_two_requests_is_no_closure(
    any_installation: Installation, clock: Clock
) -> None:
    with any_installation.database.writing() as session:
        turns.close(session, "arxiv.org", clock.now + timedelta(seconds=3))
    assert asked.hosts(any_installation) == []
    (check,) = examined(any_installation)
    assert (check.state, check.detail) == ("ok", "no source was asked in 24 hours")


@pytest.mark.parametrize(
    ("statuses", "state"),
    [((200, 404), "ok"), ((304, 200, 403, None), "warn"), ((200,) * 7 + (429, 429), "ok")],
)
def test_one_failure_happens_and_many_are_told(
    any_installation: Installation, statuses: tuple[int | None, ...], state: str
) -> None:
    ask(any_installation, RSS, *statuses)
    (check,) = examined(any_installation)
    assert check.state == state


def test_the_command_tells_the_last_requests(installation: Installation) -> None:
    ask(installation, RSS, 200, 304)
    ask(installation, "api.biorxiv.org", None, said="timed out")
    command = [sys.executable, "-m", "paperpost", "requests", "--last", "2"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [
        "2026-04-07 09:00:00  304       2 kB    0.5 s  https://rss.arxiv.org/papers",
        "2026-04-07 09:00:00  ---       2 kB    0.5 s  https://api.biorxiv.org/papers  timed out",
    ]
    command += ["--host", "arxiv.org", "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    document = json.loads(told)
    assert [request["status"] for request in document["requests"]] == [200, 304]
    assert document["hosts"] == []  # the last 24 hours are long over
