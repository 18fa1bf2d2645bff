"""Where a source may lead: the public internet alone."""

import threading
from collections.abc import Iterator

import httpx
import pytest
from asking import Asking
from loopback_source import LoopbackSource, Told

from paperpost.sources.errors import ForbiddenAddress
from paperpost.sources.watching import watched


@pytest.fixture
def source() -> Iterator[LoopbackSource]:
    with LoopbackSource() as running:
        yield running


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


def test_a_name_that_moved_to_a_private_address_is_not_asked_after_connecting(
    source: LoopbackSource,
) -> None:
    watch = watched(httpx.URL(source.url), 5.0, threading.Event(), allow_private=False)
    with httpx.Client() as client, watch as watching, pytest.raises(ForbiddenAddress):
        client.get(source.url, extensions={"trace": watching.trace})
    assert source.asked == []


@pytest.mark.parametrize(
    "host", ["[64:ff9b::a00:1]", "[2002:a00:1::]", "localhost", "feeds.localhost", "192.168.0.1"]
)
def test_a_mirror_does_not_hide_where_a_source_leads(source: LoopbackSource, host: str) -> None:
    source.tell(Told(302, headers={"Location": f"http://{host}/secret"}))
    asking = Asking(allow_private=False, mirror=source.url)
    with asking.client, pytest.raises(ForbiddenAddress, match="not on the public internet"):
        asking.client.get("http://papers.example/rss")
    assert [path for path, _ in source.asked] == ["/papers.example/rss"]
