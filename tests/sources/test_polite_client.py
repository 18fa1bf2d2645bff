"""What the client does, one answer after another."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from asking import NOW, Asking
from loopback_source import LoopbackSource, Told
from web_on_loopback import Question, WebOnLoopback

from paperpost.sources.errors import RequestFailed, SourceBusy
from paperpost.sources.exchange import Validators


@pytest.fixture
def source() -> Iterator[LoopbackSource]:
    with LoopbackSource() as running:
        yield running


@pytest.fixture
def asking() -> Iterator[Asking]:
    ready = Asking()
    with ready.client:
        yield ready


def test_it_says_who_it_is_and_passes_the_gate(source: LoopbackSource, asking: Asking) -> None:
    source.tell(Told(body=b"papers"))
    answer = asking.client.get(source.url)
    assert (answer.status, answer.body) == (200, b"papers")
    ((_, headers),) = source.asked
    said = "Paperpost/0.1 (self-hosted paper alerts; mailto:admin@example.org)"
    assert headers["User-Agent"] == said
    assert asking.hosts == ["127.0.0.1"]


def test_validators_are_sent_only_after_the_body_was_kept(
    source: LoopbackSource, asking: Asking
) -> None:
    day = "Wed, 01 Apr 2026 04:00:00 GMT"
    source.tell(Told(body=b"papers", headers={"ETag": '"a"', "Last-Modified": day}))
    asking.client.get(source.url)
    answer = asking.client.get(source.url)
    assert "If-None-Match" not in source.asked[1][1]
    answer.keep()
    source.tell(Told(304))
    again = asking.client.get(source.url)
    assert source.asked[2][1]["If-None-Match"] == '"a"'
    assert source.asked[2][1]["If-Modified-Since"] == day
    assert (again.status, again.body) == (304, None)
    again.keep()
    assert asking.cache == {source.url: Validators('"a"', day)}


def test_a_validator_that_no_request_can_carry_is_not_kept(
    source: LoopbackSource, asking: Asking
) -> None:
    source.tell(Told(body=b"papers", headers={"ETag": '"\xe9"'}))
    asking.client.get(source.url).keep()
    assert asking.cache == {}
    assert asking.client.get(source.url).body == b"papers"


@pytest.mark.parametrize(
    ("header", "pauses"),
    [("7", [7.0]), ("Wed, 01 Apr 2026 04:00:30 GMT", [30.0]), ("later", [2.0]), ("0", [2.0])],
)
def test_a_busy_source_is_asked_again_when_it_said(
    source: LoopbackSource, asking: Asking, header: str, pauses: list[float]
) -> None:
    source.tell(Told(429, headers={"Retry-After": header}), Told(body=b"papers"))
    assert asking.client.get(source.url).body == b"papers"
    assert asking.pauses == pauses
    assert len(asking.hosts) == 2


def test_a_source_that_wants_a_long_pause_is_left_alone(
    source: LoopbackSource, asking: Asking
) -> None:
    source.tell(Told(503, headers={"Retry-After": "3600"}))
    with pytest.raises(SourceBusy) as caught:
        asking.client.get(source.url)
    assert (caught.value.status, caught.value.seconds) == (503, 3600)
    assert str(caught.value) == f"{source.url}: to be left alone for 60 minutes (HTTP 503)"
    assert (len(source.asked), asking.pauses) == (1, [3600])


def test_a_failing_source_is_asked_four_times_with_growing_pauses(
    source: LoopbackSource, asking: Asking
) -> None:
    source.tell(Told(503))
    with pytest.raises(RequestFailed, match="HTTP 503") as caught:
        asking.client.get(source.url)
    assert caught.value.status == 503
    assert len(source.asked) == 4
    assert asking.pauses == [2.0, 4.0, 8.0, 16.0]


def test_a_refusal_is_final(source: LoopbackSource, asking: Asking) -> None:
    source.tell(Told(403, body=b"robots"))
    with pytest.raises(RequestFailed) as caught:
        asking.client.get(source.url)
    assert (caught.value.status, caught.value.body) == (403, b"robots")
    assert len(source.asked) == 1


def test_half_an_answer_is_asked_for_again(source: LoopbackSource, asking: Asking) -> None:
    def break_off(to: BaseHTTPRequestHandler) -> None:
        to.wfile.write(b"half")

    half = Told(headers={"Content-Length": "100"}, write=break_off)
    source.tell(half, Told(body=b"whole"))
    assert asking.client.get(source.url).body == b"whole"


def test_a_redirect_is_followed_through_the_gate_and_kept_under_the_first_url(
    source: LoopbackSource, asking: Asking
) -> None:
    source.tell(Told(301, headers={"Location": "/moved"}), Told(body=b"x", headers={"ETag": '"b"'}))
    answer = asking.client.get(source.url + "/old")
    answer.keep()
    assert [path for path, _ in source.asked] == ["/old", "/moved"]
    assert len(asking.hosts) == 2
    assert list(asking.cache) == [source.url + "/old"]


def test_a_redirect_in_a_circle_ends(source: LoopbackSource, asking: Asking) -> None:
    source.tell(Told(302, headers={"Location": "/"}))
    with pytest.raises(RequestFailed, match="more than 5 redirects"):
        asking.client.get(source.url)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/", ""])
def test_a_redirect_out_of_the_web_is_refused(
    source: LoopbackSource, asking: Asking, target: str
) -> None:
    source.tell(Told(302, headers={"Location": target}))
    with pytest.raises(RequestFailed):
        asking.client.get(source.url)
    assert len(source.asked) == 1


class Page:
    """Two hosts, the second of which has a page."""

    hosts = ("old.example", "new.example")

    def __init__(self, target: str) -> None:
        self.target = target

    def answer(self, question: Question) -> Told:
        if question.path == "/page":
            return Told(body=f"of {question.host}".encode(), headers={"ETag": '"p"'})
        return Told(301, headers={"Location": self.target})


@pytest.mark.parametrize("target", ["https://new.example/page", "page", "//new.example/page"])
def test_a_redirect_leads_where_it_would_without_a_mirror(target: str) -> None:
    with WebOnLoopback(Page(target)) as web:
        asking = Asking(allow_private=False, mirror=web.url)
        with asking.client:
            answer = asking.client.get("https://old.example/moved?x=1")
    host = "new.example" if "new" in target else "old.example"
    assert answer.body == f"of {host}".encode()
    assert asking.hosts == ["old.example", host]
    assert [attempt.url for attempt in asking.log] == [
        "https://old.example/moved?x=1",
        f"https://{host}/page",
    ]
    assert asking.log[0].said == f"to https://{host}/page"


def test_every_attempt_is_told_with_its_answer(source: LoopbackSource, asking: Asking) -> None:
    source.tell(
        Told(429, b"slowly", {"Retry-After": "7"}),
        Told(500),
        Told(body=b"papers", headers={"ETag": '"a"'}),
        Told(304),
        Told(404, b"gone"),
    )
    asking.client.get(source.url + "/rss").keep()
    asking.client.get(source.url + "/rss")
    with pytest.raises(RequestFailed):
        asking.client.get(source.url + "/rss")
    assert [(one.status, one.size, one.said) for one in asking.log] == [
        (429, 6, "Retry-After: 7"),
        (500, 0, ""),
        (200, 6, ""),
        (304, 0, ""),
        (404, 4, ""),
    ]
    assert {(one.host, one.url, one.asked_at) for one in asking.log} == {
        ("127.0.0.1", source.url + "/rss", NOW)
    }
    assert all(0 <= one.seconds < 5 for one in asking.log)


def test_what_only_we_should_know_is_told_nowhere(source: LoopbackSource, asking: Asking) -> None:
    echo = b"the key 0123456789abcdef of ada@example.org has run out"
    source.tell(Told(body=b"works", headers={"ETag": '"a"'}), Told(403, echo))
    there = source.url.replace("//", "//reader:password@")
    url = f"{there}/works?api_key=0123456789abcdef&mailto=ada%40example.org&page=2"
    asking.client.get(url).keep()
    with pytest.raises(RequestFailed) as caught:
        asking.client.get(url)
    assert source.asked[1][1]["If-None-Match"] == '"a"'
    assert "api_key=0123456789abcdef" in source.asked[1][0]
    assert caught.value.body == b"the key ... of ... has run out"
    hidden = f"{source.url}/works?api_key=...&mailto=...&page=2"
    assert str(caught.value) == f"{source.url}/works: HTTP 403"
    assert caught.value.url == hidden
    assert {one.url for one in asking.log} == {hidden}
    assert not any("0123456789" in name or "password" in name for name in asking.cache)


def test_a_key_is_hidden_and_two_keys_are_two_addresses(
    source: LoopbackSource, asking: Asking
) -> None:
    source.tell(Told(body=b"papers", headers={"ETag": '"a"'}))
    asking.client.get(source.url + "/?resumptionToken=first-page").keep()
    asking.client.get(source.url + "/?resumptionToken=second-page")
    assert "If-None-Match" not in source.asked[1][1]


def test_what_another_reader_has_read_is_not_known_to_this_one(
    source: LoopbackSource, asking: Asking
) -> None:
    source.tell(Told(body=b"papers", headers={"ETag": '"a"'}))
    asking.client.get(source.url, reader="arxiv:cs.AI?take=new").keep()
    for reader in ("arxiv:cs.AI", "", "arxiv:cs.AI?take=new"):
        asking.client.get(source.url, reader=reader)
    told = [headers.get("If-None-Match") for _, headers in source.asked]
    assert told == [None, None, None, '"a"']


@pytest.mark.parametrize("spelling", ["s3cret/+key", "s3cret%2F%2Bkey", "s3cret%2f%2bkey"])
def test_a_redirect_that_repeats_our_key_under_a_harmless_name_does_not_make_it_known(
    source: LoopbackSource, asking: Asking, spelling: str
) -> None:
    source.tell(Told(302, headers={"Location": f"/elsewhere?page={spelling}"}), Told(404))
    with pytest.raises(RequestFailed) as caught:
        asking.client.get(source.url + "/works?api_key=s3cret%2F%2Bkey")
    told = [text for one in asking.log for text in (one.url, one.said)]
    told += [str(caught.value), caught.value.url]
    assert "/elsewhere?page=" in source.asked[1][0]
    assert not any("s3cret" in text for text in told)
