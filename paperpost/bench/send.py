"""`bench send`: personal digests from the ranking to the server's 250, beside `smtp-source`."""

import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from statistics import median

from mailer.smtp import parse_smtp_url
from paperpost.bench import crowd, smtp_source
from paperpost.bench.processes import BenchError
from paperpost.bench.report import Comparison
from paperpost.bench.senders import send_all
from paperpost.service.choices import Ranking
from paperpost.service.compose import compose_date
from paperpost.service.deliver import StoreOutbox
from paperpost.service.installation import Installation, open_installation
from paperpost.service.ranking import rank_block
from paperpost.settings import load_settings
from paperpost.store import outbox
from paperpost.store.database import Database
from paperpost.store.tables import DeliveryKind, DeliveryState, Subscriber

# Before and after, because machines are noisy.
PEER_TURNS = 3
MESSAGES_OF_THE_PEER = 10_000


@dataclass(frozen=True, slots=True)
class SendSizes:
    """How many digests, over how many connections of how many processes."""

    messages: int
    connections: int
    processes: int


@dataclass(slots=True)
class _Times:
    """Seconds of each part, and how many bytes a message has."""

    ranking: float = 0.0
    composing: float = 0.0
    sending: float = 0.0
    size: int = 0
    mebibytes: float = 0.0


@dataclass(frozen=True, slots=True)
class _Peers:
    """How fast smtp-source was, each time: as it comes, and when it keeps its connections."""

    plain: list[float] = field(default_factory=list)
    keeping: list[float] = field(default_factory=list)

    def measure(self, host: str, port: int, size: int, sizes: SendSizes) -> None:
        """In turns, as many messages as we send, up to a number."""
        messages = min(sizes.messages, MESSAGES_OF_THE_PEER)
        for _ in range(PEER_TURNS):
            for keeps, found in ((False, self.plain), (True, self.keeping)):
                speed = smtp_source.messages_per_second(
                    host, port, messages, size, sizes.connections, keeps=keeps
                )
                found.append(speed)


def bench_send(
    smtp_url: str, sizes: SendSizes, database_url: str | None, say: Callable[[str], None]
) -> Comparison:
    """Digests of ten papers each, frozen in the database, built, sent and recorded. Ranking comes
    first and is timed apart: `bench rank` is about that.

    Raises BenchError for a server that is not on this machine, and if any digest was not sent.
    """
    host, port = _local_server(smtp_url)
    with _installation(smtp_url, sizes, database_url) as installation:
        say(f"making up {crowd.PAPERS} papers and {sizes.messages:,} subscribers")
        crowd.fill(installation, sizes.messages)
        times = _Times()
        _compose(installation, times)
        say(f"composed in {times.composing:.1f} s, after {times.ranking:.1f} s of ranking")
        times.size = _size(installation)
        peers = _Peers()
        peers.measure(host, port, times.size, sizes)
        times.sending, times.mebibytes = send_all(installation.settings, sizes.processes)
        say(f"sent in {times.sending:.1f} s")
        peers.measure(host, port, times.size, sizes)
        _require_all_sent(installation, sizes.messages)
    return _compared(sizes, times, peers)


def _local_server(smtp_url: str) -> tuple[str, int]:
    server = parse_smtp_url(smtp_url)
    try:
        here = server.host == "localhost" or ip_address(server.host).is_loopback
    except ValueError:
        here = False
    if not here or server.security != "smtp":
        raise BenchError("thousands of mails go only to smtp://127.0.0.1:PORT: start smtp-sink")
    return server.host, server.port


@contextmanager
def _installation(
    smtp_url: str, sizes: SendSizes, database_url: str | None
) -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="paperpost-bench-") as folder:
        settings = load_settings(
            home=Path(folder),
            database_url=database_url,
            smtp_url=smtp_url,
            smtp_connections=max(1, sizes.connections // sizes.processes),
            secret_key=("made up for a measurement",),
            public_url="https://papers.university.example",
        )
        Database(settings.store_url).upgrade()
        installation = open_installation(settings)
        try:
            yield installation
        finally:
            installation.close()


def _compose(installation: Installation, times: _Times) -> None:
    def rank(
        installation: Installation, people: Sequence[Subscriber], on: date
    ) -> Mapping[int, Ranking]:
        started = time.perf_counter()
        ranked = rank_block(installation, people, on)
        times.ranking += time.perf_counter() - started
        return ranked

    gc.freeze()  # as `paperpost digest` does
    started = time.perf_counter()
    for _ in compose_date(installation, crowd.DAY, rank=rank):
        pass
    times.composing = time.perf_counter() - started - times.ranking


def _size(installation: Installation) -> int:
    """Bytes of one of the messages."""
    shelf = StoreOutbox(installation)
    (claim,) = shelf.claim(installation.clock(), 1)
    size = len(claim.build().data)
    shelf.release([claim])
    return size


def _require_all_sent(installation: Installation, messages: int) -> None:
    with installation.database.reading() as session:
        counts = outbox.count_by_state(session)[DeliveryKind.DIGEST]
    if counts[DeliveryState.SENT] != messages:
        raise BenchError(f"not all of {messages} digests were sent: {counts}")


def _compared(sizes: SendSizes, times: _Times, peers: _Peers) -> Comparison:
    ours = sizes.messages / (times.composing + times.sending)
    with_ranking = sizes.messages / (times.ranking + times.composing + times.sending)
    details = {
        "messages_per_second": ours,
        "messages_per_second_with_ranking": with_ranking,
        "messages": sizes.messages,
        "connections": sizes.connections,
        "processes": sizes.processes,
        "bytes_of_a_message": times.size,
        "ranking_seconds": times.ranking,
        "composing_seconds": times.composing,
        "sending_seconds": times.sending,
        "peak_mebibytes_of_a_sender": times.mebibytes,
        "peer_keeping_connections": median(peers.keeping),
        "ratio_to_peer_keeping_connections": ours / median(peers.keeping),
        "peer_each": peers.plain,
        "peer_keeping_connections_each": peers.keeping,
    }
    return Comparison(
        f"{sizes.messages:,} digests of ten papers, composed, built, sent and recorded",
        ours,
        median(peers.plain),
        "messages a second",
        "smtp-source, which sends one message again and again",
        details,
    )
