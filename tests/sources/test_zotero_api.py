"""A library at zotero.org: page after page, with a key that is told to nobody else."""

from collections.abc import Iterator

import pytest
import traps
from hurried_client import Kept, OpenGate, hurried_client
from speaks_zotero import Zotero, work
from web_on_loopback import WebOnLoopback

from paperpost.sources.client import PoliteClient
from paperpost.sources.libraries.entry import LibraryEntry
from paperpost.sources.libraries.zotero_api import ZoteroError, read_zotero

KEY = "P9NiFoyLeZu2bZNvvuQPDWsd"


@pytest.fixture
def zotero() -> Zotero:
    return Zotero({"users/1": [work(number) for number in range(250)]}, {"users/1": KEY})


@pytest.fixture
def web(zotero: Zotero) -> Iterator[WebOnLoopback]:
    with WebOnLoopback(zotero) as web:
        yield web


@pytest.fixture
def client(web: WebOnLoopback) -> Iterator[PoliteClient]:
    with hurried_client(web) as client:
        yield client


def titles(client: PoliteClient, library: str = "users/1", key: str = KEY) -> list[str]:
    found = read_zotero(client, library, key)
    return [entry.title for entry in found if isinstance(entry, LibraryEntry)]


def test_all_pages_are_read(client: PoliteClient, web: WebOnLoopback) -> None:
    assert len(set(titles(client))) == 250
    assert [question.query["start"] for question in web.asked] == ["0", "100", "200"]


def test_pages_that_are_all_the_first_are_an_error(
    client: PoliteClient, zotero: Zotero, web: WebOnLoopback
) -> None:
    zotero.pages = False
    with pytest.raises(ZoteroError, match="gave the same works again"):
        titles(client)
    assert len(web.asked) == 2


def test_a_library_without_the_right_key_is_refused_and_no_key_is_told(
    client: PoliteClient,
) -> None:
    with pytest.raises(ZoteroError, match="lets nobody read this library") as refused:
        titles(client, key="wrongKey")
    assert "wrongKey" not in repr(refused.value)


def test_collections_groups_and_public_libraries(client: PoliteClient, zotero: Zotero) -> None:
    zotero.libraries |= {"groups/2": [work(1)], "users/1/collections/ABCD2345": [work(2), work(3)]}
    assert len(titles(client, "groups/2", key="")) == 1
    assert len(titles(client, "users/1/collections/ABCD2345", key="")) == 2
    with pytest.raises(ZoteroError, match="no such library"):
        titles(client, "users/7")


@pytest.mark.parametrize(
    ("library", "key"), [("users/../keys", ""), ("1", ""), ("users/1?x", ""), ("users/1", "a\nb")]
)
def test_what_cannot_be_a_library_or_a_key_is_not_asked(
    client: PoliteClient, web: WebOnLoopback, library: str, key: str
) -> None:
    with pytest.raises(ZoteroError) as refused:
        titles(client, library, key)
    assert not key or key not in str(refused.value)
    assert web.asked == []


def test_the_key_goes_to_no_other_host(client: PoliteClient, web: WebOnLoopback) -> None:
    web.spring(traps.redirected("https://elsewhere.example.org/items"), on="api.zotero.org")
    with pytest.raises(ZoteroError):
        titles(client)
    here, there = web.asked
    assert (here.host, here.headers["Zotero-API-Key"]) == ("api.zotero.org", KEY)
    assert (there.host, there.headers["Zotero-API-Key"]) == ("elsewhere.example.org", None)


class NotingGate(OpenGate):
    """Notes who is to be left alone, and for how many seconds."""

    def __init__(self) -> None:
        self.closed: list[tuple[str, float]] = []

    def close(self, host: str, seconds: float) -> None:
        self.closed.append((host, seconds))


def test_zotero_is_left_alone_for_as_long_as_it_asks(zotero: Zotero, web: WebOnLoopback) -> None:
    zotero.backoff, gate = "11", NotingGate()
    with PoliteClient(
        contact=None, version="0.1", gate=gate, cache=Kept(), allow_private=True, mirror=web.url
    ) as client:
        assert len(titles(client)) == 250
    assert gate.closed == [("api.zotero.org", 11.0)] * 3


def test_an_answer_that_is_no_list_is_an_error(client: PoliteClient, web: WebOnLoopback) -> None:
    web.spring(traps.login_page)
    with pytest.raises(ZoteroError, match="no JSON"):
        titles(client)
