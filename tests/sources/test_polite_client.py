import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import TypedDict, Unpack

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback_source import LoopbackSource, Told

from paperpost.sources.addresses import refuse_private_peer
from paperpost.sources.client import (
    LONGEST_PAUSE,
    PoliteClient,
    Validators,
    back_off,
    retry_after,
    user_agent,
)
from paperpost.sources.errors import AnswerTooLarge, ForbiddenAddress, RequestFailed, SourceBusy

# Drawing the first text may take a second, and machines are shared.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOW = datetime(2026, 4, 1, 4, 0, tzinfo=UTC)


class MemoryCache(dict[str, Validators]):
    def put(self, url: str, validators: Validators) -> None:
        self[url] = validators


class Options(TypedDict, total=False):
    timeout: float
    deadline: float
    max_bytes: int
    max_attempts: int
    allow_private: bool


class Asking:
    """A client with its cache, and what it waited for."""

    def __init__(self, **options: Unpack[Options]) -> None:
        self.cache = MemoryCache()
        self.hosts: list[str] = []
        self.pauses: list[float] = []
        allowed: Options = {"allow_private": True, "timeout": 5.0, **options}
        self.client = PoliteClient(
            contact="admin@example.org",
            version="0.1",
            gate=self.hosts.append,
            cache=self.cache,
            sleep=self.pauses.append,
            now=lambda: NOW,
            jitter=lambda: 0.0,
            **allowed,
        )


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
    assert (answer.status, answer.body, answer.not_modified) == (200, b"papers", False)
    ((_, headers),) = source.asked
    said = "Paperpost/0.1 (self-hosted paper alerts; mailto:admin@example.org)"
    assert headers["User-Agent"] == said
    assert asking.hosts == ["127.0.0.1"]
    assert user_agent("0.1", None) == "Paperpost/0.1 (self-hosted paper alerts)"


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
    assert (again.not_modified, again.body) == (True, None)
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
    assert (caught.value.status, caught.value.retry_after) == (503, 3600)
    assert (len(source.asked), asking.pauses) == (1, [])


def test_a_failing_source_is_asked_four_times_with_growing_pauses(
    source: LoopbackSource, asking: Asking
) -> None:
    source.tell(Told(503))
    with pytest.raises(RequestFailed, match="HTTP 503") as caught:
        asking.client.get(source.url)
    assert caught.value.status == 503
    assert len(source.asked) == 4
    assert asking.pauses == [2.0, 4.0, 8.0]


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


def test_an_answer_too_large_is_cut_short(source: LoopbackSource) -> None:
    sent = 0

    def flood(to: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        try:
            for _ in range(1_000):
                sent += to.wfile.write(bytes(64 * 1024))
        except OSError:
            return

    source.tell(Told(write=flood))
    asking = Asking(max_bytes=100_000)
    with asking.client, pytest.raises(AnswerTooLarge, match="larger than 100,000 bytes"):
        asking.client.get(source.url)
    assert sent < 60 * 1024 * 1024


def drip(to: BaseHTTPRequestHandler) -> None:
    try:
        for _ in range(100):
            to.wfile.write(b"x")
            time.sleep(0.01)
    except OSError:
        return


def test_an_answer_that_drips_for_ever_is_given_up(source: LoopbackSource) -> None:
    source.tell(Told(write=drip))
    asking = Asking(deadline=0.05, max_attempts=1)
    with asking.client, pytest.raises(RequestFailed, match=r"no whole answer within 0\.05 seconds"):
        asking.client.get(source.url)


def test_a_silent_server_times_out_and_a_closed_port_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asking = Asking(timeout=0.05, max_attempts=2)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with asking.client, pytest.raises(RequestFailed, match="timed out"):
            asking.client.get(url)
    with Asking().client as client, pytest.raises(RequestFailed, match="refused"):
        client.get(url)


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


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/"])
def test_a_redirect_out_of_the_web_is_refused(
    source: LoopbackSource, asking: Asking, target: str
) -> None:
    source.tell(Told(302, headers={"Location": target}))
    with pytest.raises(RequestFailed):
        asking.client.get(source.url)
    assert len(source.asked) == 1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ],
)
def test_private_addresses_are_never_asked(host: str) -> None:
    asking = Asking(allow_private=False)
    with asking.client, pytest.raises(ForbiddenAddress, match="not on the public internet"):
        asking.client.get(f"http://{host}:9/latest/meta-data")
    assert asking.hosts == []


def test_a_redirect_to_a_private_address_is_refused(
    source: LoopbackSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loopback server plays a proxy, the only way to a public name without a network."""
    monkeypatch.setenv("http_proxy", source.url)
    monkeypatch.delenv("no_proxy", raising=False)
    source.tell(Told(302, headers={"Location": "http://169.254.169.254/latest/meta-data"}))
    asking = Asking(allow_private=False)
    with asking.client, pytest.raises(ForbiddenAddress, match="not on the public internet"):
        asking.client.get("http://papers.example/rss")
    assert [path for path, _ in source.asked] == ["http://papers.example/rss"]


def test_a_name_that_moved_to_a_private_address_is_refused_after_connecting(
    source: LoopbackSource,
) -> None:
    source.tell(Told(body=b"secret"))
    with (
        httpx.Client() as client,
        client.stream("GET", source.url) as response,
        pytest.raises(ForbiddenAddress),
    ):
        refuse_private_peer(response)


@patient
@given(st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_short_and_never_endless(attempt: int, jitter: float) -> None:
    assert 2.0 <= back_off(attempt, jitter) <= LONGEST_PAUSE


@patient
@given(st.text())
def test_any_retry_after_header_is_seconds_or_nothing(header: str) -> None:
    seconds = retry_after(header, NOW)
    assert seconds is None or seconds >= 0
