"""Several machines that share one database and one mail server, and what is done to some."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from database_server import database_server
from network import Machine, Network, network
from scene import AcceptingServer, accepting_server
from sqlalchemy import text, update
from sqlmodel import col, func, select
from verdict import Row

from paperpost.service import subscribe
from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store.database import Database
from paperpost.store.leases import WAITING
from paperpost.store.outbox import OPEN
from paperpost.store.tables import Delivery, Digest, Subscriber

KEY = "a key for tests only"
CONNECTIONS = 4
PORT = 8000
COMMAND = (sys.executable, "-m", "paperpost")


def wait_until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait for it, and fail with what was waited for."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"waited in vain: {what}"
        time.sleep(0.05)


@dataclass
class Fleet:
    """The machines, the processes on them by host name, and the installation as we look at it: by
    the database's socket, whatever becomes of the network."""

    network: Network
    installation: Installation
    server_url: str
    mail: AcceptingServer
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def machine(self, host: str) -> Machine:
        """The machine of that name."""
        return next(one for one in self.network.machines if one.host == host)

    def start(self, host: str, *arguments: str) -> None:
        """Run a command there."""
        home = self.installation.settings.home / host
        home.mkdir(exist_ok=True)
        environment = {
            **{name: value for name, value in os.environ.items() if name[:10] != "PAPERPOST_"},
            "PAPERPOST_HOME": str(home),
            "PAPERPOST_DATABASE_URL": self.server_url,
            "PAPERPOST_SECRET_KEY": KEY,
            "PAPERPOST_SOURCES": "",
            "PAPERPOST_SMTP_URL": self.mail.url,
            "PAPERPOST_SMTP_CONNECTIONS": str(CONNECTIONS),
        }
        with self.log(host).open("ab") as log:
            self.processes[host] = self.machine(host).start(
                [*COMMAND, *arguments], environment, log
            )

    def log(self, host: str) -> Path:
        """What its process says."""
        return self.installation.settings.home / f"{host}.log"

    def send_signal(self, host: str, number: signal.Signals) -> None:
        """Send its process a signal; a killed one is gone when this returns."""
        self.processes[host].send_signal(number)
        if number == signal.SIGKILL:
            self.processes[host].wait()

    def leader(self) -> str | None:
        """The host that ticks now, by the database."""
        holder = self.installation.database.holder("tick")
        return None if holder is None else holder.process.rpartition("@")[2]

    def forget(self, host: str) -> None:
        """Do at once what the server and the leases' ends do in less than a minute with a machine
        that is silent: end its sessions and its leases."""
        now = self.installation.clock()
        with self.installation.database.writing() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name LIKE '%@' || :host"
                ),
                {"host": host},
            )
        with self.installation.database.writing() as session:
            session.exec(
                update(Delivery)
                .where(col(Delivery.lease).startswith(f"{host}/"))
                .values(lease_ends_at=now - timedelta(seconds=1))
            )

    def subscribe(self, number: int) -> None:
        """So many more subscribers whose digest was due an hour ago, beyond any jitter."""
        hour_ago = datetime.now(UTC) - timedelta(hours=1)
        known = self.counts()[0]
        people = self.installation.settings.home / "people.csv"
        lines = [
            f"reader{n}@example.org,graph neural networks,{hour_ago.hour},3"
            for n in range(known, known + number)
        ]
        people.write_text("\n".join(("email,keywords,hour,size", *lines)), encoding="utf-8")
        subscribe.from_file(self.installation, people, confirmed=True)
        with self.installation.database.writing() as session:
            new = col(Subscriber.digest_count) == 0
            session.exec(update(Subscriber).where(new).values(next_due_at=hour_ago))

    def counts(self) -> tuple[int, int, int]:
        """How many subscribers there are, digests, and subscribers with exactly one digest."""
        with self.installation.database.reading() as session:
            people = session.exec(select(func.count()).select_from(Subscriber)).one()
            each = session.exec(
                select(Digest.subscriber_id, func.count()).group_by(col(Digest.subscriber_id))
            ).all()
        had = Counter(number for _, number in each)
        return people, sum(number for _, number in each), had[1]

    def all_composed(self) -> bool:
        """Whether everybody has a digest."""
        people, digests, _ = self.counts()
        return people == digests

    def all_sent(self) -> bool:
        """Whether no mail waits; what waits for its next try waits no longer."""
        free = col(Delivery.state).in_(WAITING) & col(Delivery.lease).is_(None)
        with self.installation.database.writing() as session:
            session.exec(update(Delivery).where(free).values(due_at=self.installation.clock()))
            left = select(Delivery.id).where(col(Delivery.state).in_(OPEN)).limit(1)
            return session.exec(left).first() is None

    def rows(self) -> list[Row]:
        """All deliveries."""
        query = select(col(Delivery.id), col(Delivery.message_id), col(Delivery.state))
        with self.installation.database.reading() as session:
            return [Row(number or 0, name, state) for number, name, state in session.exec(query)]

    def answers(self, host: str) -> bool:
        """Whether its site does."""
        try:
            return self.ask(host, "GET", "/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def ask(self, host: str, method: str, path: str, **options: object) -> httpx.Response:
        """What its site says, asked over the wire."""
        machine = self.machine(host)
        with self.network.hub.inside(), httpx.Client(trust_env=False, timeout=20) as client:
            address = f"http://{machine.address}:{PORT}{path}"
            return client.request(method, address, **options)  # type: ignore[arg-type]

    def stop_all(self) -> None:
        """Leave no process behind, whatever went wrong."""
        for process in self.processes.values():
            process.kill()
            process.wait()


@contextmanager
def fleet(hosts: tuple[str, ...], home: Path, pause: float) -> Iterator[Fleet]:
    """A network with a database and a mail server; raises NoNetwork where that cannot be. `pause`
    is how slowly mail is accepted (accepting_server.py)."""
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        made = stack.enter_context(network(("hub", *hosts)))
        server = stack.enter_context(database_server(made.hub.address))
        with made.hub.inside():
            server.start()
            mail = stack.enter_context(
                accepting_server(home / "accepted.log", pause, made.hub.address)
            )
        settings = load_settings(home=home, database_url=server.local_url, secret_key=(KEY,))
        installation = Installation(settings, Database(server.local_url, "paperpost observer"))
        stack.callback(installation.close)
        installation.database.upgrade()
        found = Fleet(made, installation, server.url, mail)
        stack.callback(found.stop_all)
        yield found
