"""A polite client that never waits, for the hosts of a WebOnLoopback."""

from contextlib import AbstractContextManager, nullcontext

from web_on_loopback import WebOnLoopback

from paperpost.sources.client import PoliteClient
from paperpost.sources.exchange import Validators


class OpenGate:
    """It is always one's turn."""

    def turn(self, host: str) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self, host: str, seconds: float) -> None:
        pass


class Kept(dict[str, Validators]):
    """Validators, kept as long as the test lasts."""

    def put(self, name: str, validators: Validators) -> None:
        self[name] = validators


def hurried_client(web: WebOnLoopback) -> PoliteClient:
    """The caller closes it."""
    return PoliteClient(
        contact=None,
        version="0.1",
        gate=OpenGate(),
        cache=Kept(),
        allow_private=True,
        mirror=web.url,
    )
