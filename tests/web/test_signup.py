"""Subscribing, confirming, and getting one's own link again."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from doors import Doors, forms, last_mail
from invented import Clock, Invented, with_settings

from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.settings import SettingsError, load_settings
from paperpost.store import subscribers
from paperpost.store.tables import DeliveryKind, InterestKind

pytest_plugins = ["site_on_stage"]


def test_a_subscription_begins_with_a_mail_and_is_active_once_confirmed(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    form = forms(client.get("/subscribe"))[0]
    form.fields = {"email": " Ben@Example.org ", "keywords": "graphs; speech, graphs"}
    page = form.post(client)
    assert page.status_code == 200
    assert "Look into your mailbox" in page.text
    assert last_mail(installation, "ben@example.org", DeliveryKind.CONFIRMATION)

    ben = Doors(installation, "ben@example.org", papers[0].id)
    assert ben.subscriber().state == "pending"
    asks = client.get(ben.path(Purpose.CONFIRM))
    assert ben.subscriber().state == "pending"
    done = forms(asks)[0].post(client)
    assert done.status_code == 200
    assert "Your first digest is due on Wednesday, 8 April 2026" in done.text
    assert ben.subscriber().state == "active"
    with installation.database.reading() as session:
        own = subscribers.interests(session, [ben.subscriber_id])[ben.subscriber_id]
    assert own == {InterestKind.KEYWORD: ["graphs", "speech"]}
    assert "You are subscribed" in client.get(ben.path(Purpose.CONFIRM)).text
    for step in ("/rate", "/library", ""):
        path = f"{ben.path(Purpose.PREFERENCES)}{step}"
        assert f'href="{path}"' in done.text
        assert client.get(path).status_code == 200
    stay = forms(done)[-1].post(client)
    assert "paperpost" in stay.cookies or "paperpost" in client.cookies
    client.cookies.clear()


@pytest.mark.usefixtures("papers")
def test_a_keyword_that_no_paper_mentions_is_told_to_whoever_typed_it(
    client: httpx.Client,
) -> None:
    posted = {"email": "zoe@example.org", "keywords": "speech, <b>foobarology</b>"}
    page = client.post("/subscribe", data=posted).text
    assert "No paper stored here mentions “&lt;b&gt;foobarology&lt;/b&gt;” yet" in page
    assert "“speech”" not in page


@pytest.mark.parametrize("path", ["/subscribe", "/link"])
def test_a_known_and_an_unknown_address_get_the_same_answer(
    client: httpx.Client, doors: Doors, path: str
) -> None:
    known = client.post(path, data={"email": doors.email, "keywords": "foobarology"})
    unknown = client.post(path, data={"email": "zoe@example.org", "keywords": "foobarology"})
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(doors.email, "…") == unknown.text.replace("zoe@example.org", "…")
    plain = ("date", "content-length")
    assert [h for h in known.headers.items() if h[0] not in plain] == [
        h for h in unknown.headers.items() if h[0] not in plain
    ]


def test_a_stranger_changes_nothing_about_a_subscriber_but_they_get_their_link(
    installation: Installation, client: httpx.Client, doors: Doors
) -> None:
    client.post("/subscribe", data={"email": doors.email, "keywords": "something else"})
    assert last_mail(installation, doors.email, DeliveryKind.ACCESS_LINK)
    page = client.get(doors.path(Purpose.PREFERENCES)).text
    assert "graph neural networks" in page
    assert "something else" not in page


def test_a_link_that_was_asked_for_is_mailed(
    installation: Installation, client: httpx.Client, doors: Doors
) -> None:
    form = forms(client.get("/link"))[0]
    form.fields["email"] = doors.email
    assert "is on its way" in form.post(client).text
    assert last_mail(installation, doors.email, DeliveryKind.ACCESS_LINK)


@pytest.mark.parametrize(
    "posted",
    [
        {"email": "<b>nobody</b>", "keywords": "typed <i>before</i>"},
        {"email": "zoe@example.org", "keywords": "typed <i>before</i>" + "x" * 200},
        {"email": "zoe@example.org\r\nBcc: all@example.org", "keywords": "typed <i>before</i>"},
    ],
)
def test_a_form_that_cannot_be_used_comes_back_with_the_reason_and_what_was_typed(
    client: httpx.Client, posted: dict[str, str]
) -> None:
    page = client.post("/subscribe", data=posted)
    assert page.status_code == 400
    assert "That did not work" in page.text
    assert "typed &lt;i&gt;before&lt;/i&gt;" in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize("path", ["/subscribe", "/link"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", ""),
        ("", "application/x-www-form-urlencoded"),
        ("email", "application/x-www-form-urlencoded"),
        ("%ff%fe=%00&&&=;email=%C3%28", "application/x-www-form-urlencoded"),
        ("--x\r\nbroken", "multipart/form-data; boundary=x"),
        ("no boundary", "multipart/form-data"),
        ('{"email": "zoe@example.org"}', "application/json"),
    ],
)
def test_a_post_without_usable_fields_gets_the_form_again(
    client: httpx.Client, path: str, body: str, kind: str
) -> None:
    page = client.post(path, content=body, headers={"content-type": kind})
    assert page.status_code == 400
    assert forms(page)[0].action == path


def test_a_file_where_a_text_belongs_is_no_text(client: httpx.Client) -> None:
    assert client.post("/subscribe", files={"email": ("a.txt", b"x@y.org")}).status_code == 400


@pytest.mark.parametrize("rule", [("closed",), ("uni.example.edu",)])
def test_where_signup_is_closed_the_answer_says_so(
    installation: Installation,
    browse_site: Callable[[Installation], httpx.Client],
    rule: tuple[str, ...],
) -> None:
    client = browse_site(with_settings(installation, signup=rule))
    page = client.post("/subscribe", data={"email": "zoe@example.org", "keywords": "x"})
    assert page.status_code == 403
    asks = [form.action for form in forms(client.get("/")) + forms(client.get("/subscribe"))]
    assert ("/subscribe" in asks) == (rule != ("closed",))
    assert ("Subscribe</a>" in page.text) == (rule != ("closed",))
    with installation.database.reading() as session:
        assert subscribers.by_email(session, "zoe@example.org") is None


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ("", [200, 200]),
        ("open", [200, 200]),
        ("@Lab.example", [200, 403]),
        ("lab.example, @xn--bcher-kva.example", [200, 200]),
        ("closed", [403, 403]),
    ],
)
def test_the_setting_says_whose_addresses_may_subscribe(
    installation: Installation,
    browse_site: Callable[[Installation], httpx.Client],
    monkeypatch: pytest.MonkeyPatch,
    rule: str,
    statuses: list[int],
) -> None:
    monkeypatch.setenv("PAPERPOST_SIGNUP", rule)
    client = browse_site(with_settings(installation, signup=load_settings().signup))
    answers = [
        client.post("/subscribe", data={"email": email, "keywords": "x"})
        for email in ("zoe@lab.EXAMPLE", "zoe@bücher.example")
    ]
    assert [answer.status_code for answer in answers] == statuses


@pytest.mark.parametrize("rule", ["*.lab.example", "*", "lab", "open lab.example", "a@lab.example"])
def test_a_rule_that_would_match_nobody_is_refused(
    monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    monkeypatch.setenv("PAPERPOST_SIGNUP", rule)
    with pytest.raises(SettingsError, match="PAPERPOST_SIGNUP: must be open, closed, or the mail"):
        load_settings()


def test_an_old_confirmation_link_offers_a_fresh_one(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    path = doors.path(Purpose.CONFIRM)
    clock.turn(days=8)
    for page in (client.get(path), client.post(path)):
        assert page.status_code == 410
        assert forms(page)[0].action == "/link"


def test_a_link_from_before_an_unsubscription_does_not_undo_it(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    old = doors.path(Purpose.CONFIRM)
    clock.now += timedelta(hours=1)
    client.post(doors.path(Purpose.UNSUBSCRIBE))
    assert client.post(old).status_code == 410
    assert doors.subscriber().state == "unsubscribed"


@pytest.mark.parametrize("path", ["/subscribe", "/link"])
def test_one_client_cannot_post_without_end_but_others_can(client: httpx.Client, path: str) -> None:
    codes = [client.post(path).status_code for _ in range(31)]
    assert codes == [400] * 30 + [429]
    refused = client.post(path)
    assert "Too many at once" in refused.text
    assert refused.headers["retry-after"] == "60"
    other = client.post(path, headers={"x-forwarded-for": "203.0.113.7"})
    assert other.status_code == 400
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("keywords", ["", ",,,", " "])
def test_who_names_nothing_is_told_what_comes(client: httpx.Client, keywords: str) -> None:
    posted = {"email": "new@example.org", "keywords": keywords, "muted": "casino"}
    page = client.post("/subscribe", data=posted).text
    assert "You named nothing that you read about." in page
    page = client.post("/subscribe", data=posted | {"authors": "Emmy Noether"}).text
    assert "You named nothing" not in page
