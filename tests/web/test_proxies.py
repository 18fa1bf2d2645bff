"""Whose word counts on who asks."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from invented import with_settings
from limits import RateLimitItemPerMinute

from paperpost.service.installation import Installation
from paperpost.settings import SettingsError, load_settings
from paperpost.web.guards import limits
from paperpost.web.serve import configuration, listen


@contextmanager
def served(installation: Installation) -> Iterator[httpx.Client]:
    with listen("127.0.0.1", 0) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(configuration(installation))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            with httpx.Client(base_url=address, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.parametrize(
    ("trusted", "second"),
    [
        (None, 400),
        ("127.0.0.0/8", 400),
        ("10.0.0.1 127.0.0.1, 192.0.2.0/24", 400),
        ("192.0.2.1", 429),
        ("", 429),
    ],
)
def test_a_client_is_who_a_trusted_proxy_says(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, trusted: str | None, second: int
) -> None:
    monkeypatch.setattr(limits, "PER_FORM", RateLimitItemPerMinute(1))
    if trusted is not None:
        monkeypatch.setenv("PAPERPOST_TRUSTED_PROXIES", trusted)
    proxies = load_settings().trusted_proxies
    with served(with_settings(installation, trusted_proxies=proxies)) as client:
        codes = [
            client.post("/link", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
            for number in (1, 2)
        ]
    assert codes == [400, second]


@pytest.mark.parametrize("wrong", ["*", "localhost", "10.0.0.1/8", "10.0.0"])
def test_what_is_no_address_is_told(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("PAPERPOST_TRUSTED_PROXIES", f"127.0.0.1 {wrong}")
    with pytest.raises(SettingsError, match=r"TRUSTED_PROXIES: not an address"):
        load_settings()
