"""What holds for every door: nothing is changed by looking, and no key fits two."""

import re
import socket
from collections.abc import Callable

import httpx
import pytest
from doors import Doors
from invented import with_settings
from structlog.testing import capture_logs

from paperpost.service.installation import Installation
from paperpost.service.links import Purpose

pytest_plugins = ["site_on_stage"]

OWN = ["/votes", "/digests", "/record", "/library", "/interests", "/likes", "/rate"]
PATHS = {
    Purpose.VOTE: ["/vote/{}", "/vote/{}/"],
    Purpose.UNSUBSCRIBE: ["/unsubscribe/{}", "/unsubscribe/{}/"],
    Purpose.PREFERENCES: ["/me/{}", "/me/{}/", *(f"/me/{{}}{page}" for page in OWN)],
    Purpose.CONFIRM: ["/confirm/{}", "/confirm/{}/"],
    Purpose.ACCESS: [
        *("/access/{}", "/access/{}/", "/access/{}/export", "/access/{}/export.bib"),
        *(f"/access/{{}}{page}" for page in OWN),
    ],
    Purpose.FEED: ["/feed/{}.xml"],
}
ACTING = ["/votes", "/library", "/interests", "/likes", "/rate"]
POSTS = {
    Purpose.VOTE: PATHS[Purpose.VOTE],
    Purpose.UNSUBSCRIBE: PATHS[Purpose.UNSUBSCRIBE],
    Purpose.PREFERENCES: ["/me/{}", *(f"/me/{{}}{page}" for page in ACTING)],
    Purpose.CONFIRM: PATHS[Purpose.CONFIRM],
    Purpose.ACCESS: [
        *("/access/{}", "/access/{}/delete", "/access/{}/renew"),
        *(f"/access/{{}}{page}" for page in ACTING),
    ],
    Purpose.FEED: [],
}
OPEN = ["/", "/day/2026-04-07", "/subscribe", "/link", "/healthz", "/static/style.css"]


def test_looking_changes_nothing_and_works_by_head_too(
    client: httpx.Client, doors: Doors, dump: Callable[[], list[str]]
) -> None:
    ours = [p.format(doors.token(purpose)) for purpose, paths in PATHS.items() for p in paths]
    paper = re.findall(r'href="(/paper/[^"]*)"', client.get("/").text)[0]
    before = dump()
    for path in [*ours, *OPEN, paper]:
        shown, head = client.get(path), client.head(path)
        assert (shown.status_code, head.status_code) == (200, 200), path
        assert head.content == b""
        assert head.headers["content-length"] == str(len(shown.content))
    assert dump() == before


@pytest.mark.parametrize(
    ("made_for", "used_at"),
    [(made_for, used_at) for made_for in Purpose for used_at in PATHS if made_for != used_at],
)
def test_a_token_of_one_purpose_opens_no_other_door(
    client: httpx.Client,
    doors: Doors,
    dump: Callable[[], list[str]],
    made_for: Purpose,
    used_at: Purpose,
) -> None:
    token = doors.token(made_for)
    before = dump()
    posted = {"action": "save", "hour": "3", "value": "up", "confirm": "yes"}
    answers = [client.get(path.format(token)) for path in PATHS[used_at]]
    answers += [client.post(path.format(token), data=posted) for path in POSTS[used_at]]
    assert {answer.status_code for answer in answers} == {404}
    assert dump() == before


def test_the_links_of_old_mails_work_until_their_key_is_dropped(
    installation: Installation,
    doors: Doors,
    browse_site: Callable[[Installation], httpx.Client],
) -> None:
    old = [p[0].format(doors.token(purpose)) for purpose, p in PATHS.items()]
    earlier = installation.settings.secret_key[0]
    for keys, status in (
        (("a newer key, of today", earlier), 200),
        (("a newer key, of today",), 404),
    ):
        client = browse_site(with_settings(installation, secret_key=keys))
        assert {client.get(path).status_code for path in old} == {status}
    doors.installation = with_settings(installation, secret_key=("a newer key, of today",))
    assert client.get(doors.path(Purpose.VOTE)).status_code == 200


def test_what_is_behind_a_token_is_kept_by_no_cache_and_no_search_engine(
    client: httpx.Client, doors: Doors
) -> None:
    for purpose, paths in PATHS.items():
        for token in (doors.token(purpose), "wrong"):
            headers = client.get(paths[0].format(token)).headers
            is_feed = purpose == Purpose.FEED and token != "wrong"
            assert headers["cache-control"] == ("private, no-cache" if is_feed else "no-store")
            assert headers["x-robots-tag"] == "noindex"
    assert "x-robots-tag" not in client.get("/").headers


@pytest.mark.parametrize("path", [*OPEN, "/nothing", "/vote/x", "/vote/", "//", "/%00"])
def test_every_answer_forbids_scripts_frames_and_guessing(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    for rule in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/nothing", "/me", "/vote/", "/day/", "/docs", "/openapi.json"])
def test_an_address_that_is_none_gets_a_page_that_says_so(client: httpx.Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 404
    assert "Not found" in page.text


def test_a_method_that_is_not_for_this_page_is_refused(client: httpx.Client) -> None:
    page = client.post("/healthz")
    assert page.status_code == 405
    assert page.headers["allow"]
    assert "Not that way" in page.text


@pytest.mark.parametrize("path", ["/subscribe", "/link", "/vote/x", "/me/x"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_no_form_has_is_refused(client: httpx.Client, path: str, chunked: bool) -> None:
    body = b"email=" + b"x" * 100_000
    content = iter([body[:50_000], body[50_000:]]) if chunked else body
    kind = {"content-type": "application/x-www-form-urlencoded"}
    page = client.post(path, content=content, headers=kind)
    assert page.status_code == 413
    assert "Too large" in page.text


def test_half_a_form_is_not_acted_on(
    client: httpx.Client, doors: Doors, dump: Callable[[], list[str]]
) -> None:
    before = dump()
    head = f"POST {doors.path(Purpose.PREFERENCES)} HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n"
    kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    address = (client.base_url.host, client.base_url.port or 0)
    with socket.create_connection(address) as connection:
        connection.sendall(f"{head}{kind}action=save&keywords=gra".encode())
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1000)
    assert client.get("/healthz").status_code == 200
    assert dump() == before


def test_health_is_told_to_machines(client: httpx.Client, doors: Doors) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    break_database(doors)
    sick = client.get("/healthz")
    assert sick.status_code == 503
    assert sick.json()["status"] != "ok"


@pytest.mark.sqlite_only("a date that is none can be stored there alone")
def test_an_unexpected_error_is_a_plain_page_and_one_line_without_secrets(
    client: httpx.Client, doors: Doors
) -> None:
    path = doors.path(Purpose.VOTE)
    with doors.installation.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE paper SET announced = 'no day'")
    with capture_logs() as lines:
        page = client.get(path)
    assert page.status_code == 500
    assert "Something went wrong" in page.text
    assert "no day" not in page.text
    assert page.headers["x-content-type-options"] == "nosniff"
    failure = next(line for line in lines if line["log_level"] == "error")
    assert failure["route"] == "/vote/{token}"
    assert "no day" in failure["error"]
    assert path.removeprefix("/vote/") not in str(failure)


def test_a_database_that_cannot_be_used_is_a_plain_page_too(
    client: httpx.Client, doors: Doors
) -> None:
    path = doors.path(Purpose.VOTE)
    break_database(doors)
    with capture_logs() as lines:
        page = client.get(path)
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "cannot use the database" not in page.text
    failure = next(line for line in lines if line["log_level"] == "error")
    assert failure["route"] == "/vote/{token}"
    assert "cannot use the database" in failure["error"]
    assert path.removeprefix("/vote/") not in str(failure)


def break_database(doors: Doors) -> None:
    with doors.installation.database.writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE paper RENAME TO lost")
