"""The API beyond what its document can say: who may do what, what is counted, what is hostile."""

import json
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from doors import DAY, Doors
from invented import Clock, Invented, join, with_settings

from paperpost.engine.runs import compose_all_of
from paperpost.service import tokens
from paperpost.service.installation import Installation
from paperpost.service.library import read, take_in
from paperpost.service.links import Purpose
from paperpost.store import papers as stored_papers
from paperpost.web.visitor import COOKIE

pytest_plugins = ["site_on_stage"]

PROBLEM = "application/problem+json"
OWN_PATHS = ["/api/me", "/api/me/votes", "/api/me/interests", "/api/me/ranking", "/api/me/digests"]
FRESH_PATHS = ["/api/me/export", "/api/me/export.bib", "/api/me/token"]


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def own(doors: Doors) -> dict[str, str]:
    """The header with Ada's lasting token."""
    return bearing(tokens.lasting(doors.installation, doors.subscriber()))


@pytest.fixture
def fresh(doors: Doors) -> dict[str, str]:
    """The header with a token that was mailed fresh."""
    return bearing(doors.token(Purpose.ACCESS))


def refused(answer: httpx.Response, status: int) -> str:
    """What a refusal says, which is a problem."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    problem = answer.json()
    assert problem["status"] == status
    return str(problem["detail"])


@pytest.mark.parametrize("path", OWN_PATHS)
def test_without_a_token_nothing_own_is_told(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "purpose", [one for one in Purpose if one not in (Purpose.API, Purpose.ACCESS)]
)
def test_no_other_link_is_a_token(doors: Doors, client: httpx.Client, purpose: Purpose) -> None:
    refused(client.get("/api/me", headers=bearing(doors.token(purpose))), 401)


def test_being_signed_in_on_a_browser_counts_for_nothing(
    doors: Doors, client: httpx.Client
) -> None:
    cookie = {"Cookie": f"{COOKIE}={doors.token(Purpose.SESSION)}"}
    assert "My Paperpost" in client.get("/", headers=cookie).text
    refused(client.get("/api/me", headers=cookie), 401)


@pytest.mark.parametrize("path", FRESH_PATHS)
def test_export_wants_a_token_that_was_mailed_fresh(
    client: httpx.Client,
    own: dict[str, str],
    fresh: dict[str, str],
    path: str,
) -> None:
    assert "mailed fresh" in refused(client.get(path, headers=own), 403)
    assert client.get(path, headers=fresh).status_code == 200


def test_deletion_wants_a_token_that_was_mailed_fresh(
    doors: Doors, client: httpx.Client, own: dict[str, str], fresh: dict[str, str]
) -> None:
    refused(client.request("DELETE", "/api/me", headers=own), 403)
    assert doors.subscriber().email == "ada@example.org"
    assert client.request("DELETE", "/api/me", headers=fresh).status_code == 204
    refused(client.get("/api/me", headers=own), 401)


def test_a_fresh_token_ends_after_an_hour_and_a_lasting_one_does_not(
    client: httpx.Client, own: dict[str, str], fresh: dict[str, str], clock: Clock
) -> None:
    clock.turn(hours=24 * 400)
    refused(client.get("/api/me", headers=fresh), 401)
    assert client.get("/api/me", headers=own).status_code == 200


def test_renewed_links_end_the_token(
    client: httpx.Client, own: dict[str, str], clock: Clock, doors: Doors
) -> None:
    clock.turn(minutes=10)
    renewed = client.post("/api/me/renew", headers=bearing(doors.token(Purpose.ACCESS)))
    assert renewed.status_code == 200
    refused(client.get("/api/me", headers=own), 401)
    lasting = bearing(renewed.json()["token"])
    assert client.get("/api/me", headers=lasting).status_code == 200
    assert "mailed fresh" in refused(client.get("/api/me/token", headers=lasting), 403)


def test_the_address_is_masked_but_for_who_was_mailed(
    client: httpx.Client, own: dict[str, str], fresh: dict[str, str]
) -> None:
    assert client.get("/api/me", headers=own).json()["address"] == "a***@example.org"
    assert client.get("/api/me", headers=fresh).json()["address"] == "ada@example.org"


def test_a_vote_counts_at_once_and_can_be_taken_back(
    client: httpx.Client, own: dict[str, str], papers: list[Invented]
) -> None:
    path = f"/api/me/votes/{papers[5].id}"
    assert client.put(path, json={"value": "down"}, headers=own).json()["value"] == "down"
    listed = client.get("/api/me/votes", headers=own).json()
    assert [(one["value"], one["origin"]) for one in listed["votes"]] == [("down", "api")]
    assert (listed["ups"], listed["downs"], listed["held"]) == (0, 1, [])
    assert client.put(path, json={"value": "none"}, headers=own).json()["value"] == "none"
    assert client.get("/api/me/votes", headers=own).json()["votes"] == []


def test_what_only_somebodys_library_tells_of_is_nobody_elses(
    installation: Installation, client: httpx.Client, own: dict[str, str]
) -> None:
    join(installation, "bob", "speech")
    with installation.database.reading() as session:
        before = stored_papers.newest_number(session)
    take_in(installation, 2, read(b"@misc{x, title={A Secret Plan}, author={Bob}}", "x.bib"))
    with installation.database.reading() as session:
        paper = stored_papers.by_number(session, [before + 1])[before + 1]
    refused(client.get(f"/api/papers/{paper.id}"), 404)
    body = {"value": "up"}
    refused(client.put(f"/api/me/votes/{paper.id}", json=body, headers=own), 404)


def test_the_answer_tells_nothing_about_an_address(client: httpx.Client, doors: Doors) -> None:
    for path in ("/api/subscribe", "/api/link"):
        known = client.post(path, json={"email": doors.email})
        unknown = client.post(path, json={"email": "eve@example.org"})
        assert known.status_code == unknown.status_code == 202
        assert known.text == unknown.text.replace("eve@example.org", doors.email)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"value": "up"', 422),
        (b"[" * 60_000, 400),
        (b'{"value": "\\ud800"}', 422),
        (b'{"\\ud800": 1, "value": "up"}', 422),
        (b'{"value": NaN}', 422),
        (b'{"value": "up", "valu": "up"}', 422),
        (b'{"value": ' + b"9" * 10_000 + b"}", 400),
        (b"\xff\xfe", 422),
        (b"null", 422),
        (b"", 422),
        (b'{"value": "up", "pad": "' + b"x" * 70_000 + b'"}', 413),
    ],
)
def test_a_broken_body_is_refused(
    client: httpx.Client, own: dict[str, str], papers: list[Invented], body: bytes, status: int
) -> None:
    path = f"/api/me/votes/{papers[0].id}"
    json_body = own | {"Content-Type": "application/json"}
    answer = client.put(path, content=body, headers=json_body)
    refused(answer, status)
    json.dumps(answer.json()).encode()


def test_a_number_that_is_too_large_for_any_table_is_refused(
    client: httpx.Client, own: dict[str, str]
) -> None:
    huge = 10**400
    refused(client.get(f"/api/days/newest?page={huge}"), 422)
    refused(client.patch("/api/me", json={"hour": huge}, headers=own), 422)
    refused(client.delete(f"/api/me/interests/named/{huge}", headers=own), 422)
    refused(client.post("/api/me/ignored-votes", json={"votes": [huge]}, headers=own), 422)


@pytest.mark.parametrize("told", ["%00", "a%00b", "%ed%a0%80", "..%2f..", "%F0%9F%92%A9", "'--"])
def test_a_hostile_id_is_no_paper(client: httpx.Client, own: dict[str, str], told: str) -> None:
    for path in (f"/api/papers/{told}", f"/api/similar/{told}"):
        assert client.get(path).status_code in (404, 422)
    answer = client.put(f"/api/me/votes/{told}", json={"value": "up"}, headers=own)
    assert answer.status_code in (404, 422)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30", "0000-01-01", "1e9"])
def test_the_ends_of_the_calendar_break_nothing(
    client: httpx.Client, own: dict[str, str], day: str
) -> None:
    is_a_day = day in ("0001-01-01", "9999-12-31")
    for path in (f"/api/days/{day}", f"/api/me/ranking?on={day}", f"/api/me/digests/{day}"):
        answer = client.get(path, headers=own)
        assert answer.status_code in ((200, 404, 409) if is_a_day else (422,)), answer.text
    for name in (f"weeks/{day[:4]}-W53", f"weeks/{day[:4]}-W01", f"months/{day[:7]}"):
        assert client.get(f"/api/{name}").status_code in (200, 404, 422)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_of_another_type_is_refused(
    client: httpx.Client, own: dict[str, str], papers: list[Invented], content_type: str
) -> None:
    headers = own | ({"Content-Type": content_type} if content_type else {})
    path = f"/api/me/votes/{papers[0].id}"
    refused(client.put(path, content=b'{"value": "up"}', headers=headers), 415)


def test_what_is_not_in_the_document_is_refused(client: httpx.Client) -> None:
    assert "'pge'" in refused(client.get("/api/days/newest?pge=2"), 422)
    refused(client.get("/api/days/newest?page=1&page=2"), 422)
    refused(client.get("/api/nothing"), 404)
    refused(client.get("/api/days/%0A"), 404)
    answer = client.post("/api/days/newest")
    refused(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_works_where_get_does(client: httpx.Client, papers: list[Invented]) -> None:
    for path in ("/api", "/api/openapi.json", "/api/days/newest", f"/api/papers/{papers[0].id}"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_pages_of_other_sites_cannot_use_it(client: httpx.Client) -> None:
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = client.get("/api/trending", headers=elsewhere)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = elsewhere | {"Access-Control-Request-Method": "GET"}
    assert client.options("/api/trending", headers=preflight).status_code == 403
    body = {"email": "eve@example.org"}
    refused(client.post("/api/subscribe", json=body, headers=elsewhere), 403)


def test_what_is_own_is_kept_by_no_cache(client: httpx.Client, own: dict[str, str]) -> None:
    assert client.get("/api/me", headers=own).headers["cache-control"] == "no-store"


def test_who_asks_too_much_is_told_when_to_come_again(client: httpx.Client) -> None:
    answers = [client.post("/api/preview", json={"x": 1}) for _ in range(121)]
    assert {answer.status_code for answer in answers[:120]} == {422}
    refused(answers[120], 429)
    assert int(answers[120].headers["retry-after"]) > 0


def test_six_hundred_gets_a_minute_are_never_refused(
    client: httpx.Client, own: dict[str, str]
) -> None:
    # With a parameter that there is not they cost nothing, and are counted all the same.
    found = {client.get("/api/me?x=", headers=own).status_code for _ in range(601)}
    assert found == {422}


def test_a_closed_door_is_told_as_such(
    client: httpx.Client,
    installation: Installation,
    browse_site: Callable[[Installation], httpx.Client],
) -> None:
    closed = browse_site(with_settings(installation, signup=("closed",)))
    refused(closed.post("/api/subscribe", json={"email": "eve@example.org"}), 403)


def test_interests_are_kept_apart_and_put_together_again(
    client: httpx.Client, own: dict[str, str]
) -> None:
    new = {"name": "sound", "share": 30, "keywords": ["speech"]}
    made = client.post("/api/me/interests/named", json=new, headers=own)
    assert made.status_code == 201
    (named,) = made.json()["named"]
    assert (named["keywords"], made.json()["general"]["keywords"]) == (
        ["speech"],
        ["graph neural networks"],
    )
    refused(client.post("/api/me/interests/named", json=new, headers=own), 409)
    path = f"/api/me/interests/named/{named['number']}"
    changed = client.patch(path, json={"share": 60}, headers=own).json()
    assert changed["named"][0]["share"] == 60
    gone = client.delete(path, headers=own).json()
    assert gone["named"] == []
    assert set(gone["general"]["keywords"]) == {"graph neural networks", "speech"}
    refused(client.delete(path, headers=own), 404)


def test_words_are_forgotten_and_remembered(client: httpx.Client, own: dict[str, str]) -> None:
    path = "/api/me/interests"
    told = client.patch(path, json={"forgotten": ["molecule", "edges"]}, headers=own).json()
    assert told["forgotten"] == ["molecule", "edges"]
    told = client.patch(path, json={"forgotten": ["edges"]}, headers=own).json()
    assert told["forgotten"] == ["edges"]


def test_a_pause_and_its_end(client: httpx.Client, own: dict[str, str], clock: Clock) -> None:
    until = (clock().date() + timedelta(days=7)).isoformat()
    paused = client.put("/api/me/pause", json={"until": until}, headers=own)
    assert paused.json()["paused_until"] == until
    past = {"until": clock().date().isoformat()}
    refused(client.put("/api/me/pause", json=past, headers=own), 409)
    assert client.delete("/api/me/pause", headers=own).json()["paused_until"] is None


def test_leaving_by_the_api_is_leaving(
    doors: Doors, client: httpx.Client, own: dict[str, str]
) -> None:
    assert client.post("/api/me/leave", headers=own).json()["state"] == "unsubscribed"
    assert doors.subscriber().state == "unsubscribed"


def test_a_digest_is_told_as_it_was_frozen(
    doors: Doors, client: httpx.Client, own: dict[str, str]
) -> None:
    compose_all_of(doors.installation, DAY)
    listed = client.get("/api/me/digests", headers=own).json()
    assert [one["date"] for one in listed["digests"]] == [DAY.isoformat()]
    frozen = client.get(f"/api/me/digests/{DAY}", headers=own).json()
    assert len(frozen["papers"]) == listed["digests"][0]["papers"] == 10
    assert all(paper["reasons"] and paper["title"] for paper in frozen["papers"])
    refused(client.get("/api/me/digests/2020-01-01", headers=own), 404)


def test_a_library_may_be_larger_than_a_form_behind_a_token_alone(
    client: httpx.Client, own: dict[str, str]
) -> None:
    text = {"Content-Type": "text/plain"}
    works = b"2604.07000\n" + b"\n" * 70_000
    refused(client.post("/api/me/library", content=works, headers=text), 413)
    taken = client.post("/api/me/library", content=works, headers=own | text)
    assert taken.status_code == 200
    assert taken.json()["added_votes"] == 1


def test_the_page_for_people_lists_every_operation(client: httpx.Client) -> None:
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    page = client.get("/api").text
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"<code>{method.upper()} {path}</code>" in page


def test_the_token_stands_behind_a_fresh_link_alone(
    doors: Doors, client: httpx.Client, own: dict[str, str]
) -> None:
    fresh = doors.path(Purpose.ACCESS)
    assert f"{fresh}/api" in client.get(fresh).text
    page = client.get(f"{fresh}/api")
    assert own["Authorization"] in page.text
    assert page.headers["cache-control"] == "no-store"
    assert client.get(f"{doors.path(Purpose.PREFERENCES)}/api").status_code == 404


def test_a_failure_of_ours_is_a_problem_too(
    doors: Doors, client: httpx.Client, own: dict[str, str]
) -> None:
    with doors.installation.database.writing() as session:
        session.connection().exec_driver_sql("DROP TABLE vote")
    detail = refused(client.get("/api/me/votes", headers=own), 503)
    assert "vote" not in detail
