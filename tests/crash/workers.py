"""The processes that send, and what is done to them."""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from scene import COMMAND, AcceptingServer, Scene
from sqlalchemy import update
from sqlmodel import col, func, select
from verdict import Frozen

from paperpost.store.database import Database, StoreError
from paperpost.store.outbox import OPEN
from paperpost.store.tables import Delivery, DeliveryState

PATIENCE_SECONDS = 120.0


class WorkerFailed(Exception):
    """A worker ended badly though nobody killed it; the last line it said."""


@dataclass(frozen=True)
class Worker:
    """A running command, and where what it says goes."""

    process: subprocess.Popen[bytes]
    command: str
    log: Path

    @property
    def has_ended(self) -> bool:
        """Whether the process is no more."""
        return self.process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, at once; a killed one is gone when this returns."""
        self.process.send_signal(number)
        if number is signal.SIGKILL:
            self.process.wait()


@dataclass
class Crew:
    """Workers on one outbox; one that ends badly without being killed is an error."""

    scene: Scene
    database: Database
    server: AcceptingServer
    connections: int
    workers: list[Worker] = field(default_factory=list)
    _started: int = 0

    def hire(self, commands: Sequence[str]) -> None:
        """Start one worker for each of these commands."""
        self.workers += [self._start(command) for command in commands]

    def keep_up(self) -> None:
        """Replace the workers that ended."""
        for worker in [one for one in self.workers if one.has_ended]:
            if worker.process.returncode not in (0, -signal.SIGKILL):
                raise WorkerFailed(_last_line(worker))
            self.workers.remove(worker)
            self.workers.append(self._start(worker.command))

    def _start(self, command: str) -> Worker:
        self._started += 1
        log = self.scene.home / f"worker-{self._started}.log"
        environment = self.scene.environment(
            PAPERPOST_SMTP_URL=self.server.url,
            PAPERPOST_SMTP_CONNECTIONS=str(self.connections),
        )
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*COMMAND, command],
                cwd=self.scene.home,
                env=environment,
                stdout=file,
                stderr=file,
            )
        return Worker(process, command, log)

    def dismiss(self) -> None:
        """Ask everyone to end and see that they do."""
        for worker in self.workers:
            worker.signal(signal.SIGTERM)
        for worker in self.workers:
            # One that has only just started, or is about to end, is ended by the signal itself.
            if worker.process.wait(PATIENCE_SECONDS) not in (0, -signal.SIGTERM):
                raise WorkerFailed(_last_line(worker))
        self.workers.clear()

    def kill_all(self) -> None:
        """Leave no process behind, whatever went wrong."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()

    def leased_by(self, worker: Worker) -> set[int]:
        """The deliveries that a worker has in its hands, by number."""
        query = select(col(Delivery.id), col(Delivery.lease))
        with self.database.reading() as session:
            rows = session.exec(query.where(col(Delivery.lease).is_not(None))).all()
        # A lease names its process (service/leases.py).
        return {number or 0 for number, lease in rows if f"|{worker.process.pid}|" in (lease or "")}

    def are_sent(self, numbers: Collection[int]) -> bool:
        """Whether all of these deliveries are recorded as sent."""
        query = select(func.count()).where(
            col(Delivery.id).in_(numbers), Delivery.state == DeliveryState.SENT
        )
        with self.database.reading() as session:
            return session.exec(query).one() == len(numbers)

    def busy(self) -> list[Worker]:
        """The workers that are sending."""
        return [one for one in self.workers if not one.has_ended and self.leased_by(one)]

    def mails_wait(self) -> bool:
        """Whether there is anything left to send."""
        with self.database.reading() as session:
            left = select(Delivery.id).where(col(Delivery.state).in_(OPEN)).limit(1)
            return session.exec(left).first() is not None


def kill_some(crew: Crew, kills: int) -> int:
    """Kill a worker that is sending, at a random moment, and again; how many times: fewer than
    asked for if no mail is left."""
    killed = 0
    while killed < kills and crew.mails_wait():
        crew.keep_up()
        time.sleep(random.uniform(0.05, 0.6))
        if busy := crew.busy():
            random.choice(busy).signal(signal.SIGKILL)
            killed += 1
    return killed


def freeze_one(crew: Crew, let_its_leases_end: Callable[[Crew, Worker], None]) -> Frozen:
    """Stop a worker that is sending until others have sent what it held, then let it go on."""
    victim, held = _frozen(crew)
    try:
        own = psutil.Process(victim.process.pid).net_connections("tcp")
        crew.server.hurry()
        let_its_leases_end(crew, victim)
        _wait_until(lambda: crew.are_sent(held), crew)
        woke_at = len(crew.server.accepted())
    finally:
        victim.signal(signal.SIGCONT)
    return Frozen(held, {one.laddr.port for one in own}, woke_at)


def _frozen(crew: Crew) -> tuple[Worker, set[int]]:
    """A worker stopped at a moment at which it keeps nobody from writing to the database."""
    while True:
        _wait_until(crew.busy, crew)
        time.sleep(random.uniform(0, 0.1))
        for victim in crew.busy()[:1]:
            victim.signal(signal.SIGSTOP)
            held = crew.leased_by(victim)
            if held and _others_go_on(crew) and _can_be_changed(crew, held):
                return victim, held
            victim.signal(signal.SIGCONT)


def _others_go_on(crew: Crew) -> bool:
    # What was in the frozen worker's hands is soon accepted: after that, it is somebody else's.
    time.sleep(0.5)
    before, end = len(crew.server.accepted()), time.monotonic() + 3
    while len(crew.server.accepted()) == before:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _can_be_changed(crew: Crew, numbers: Collection[int]) -> bool:
    """Whether nobody, stopped in the middle of a transaction, holds the rows of these deliveries:
    whoever wants to change them would wait for ever."""
    rows = select(Delivery.id).where(col(Delivery.id).in_(numbers)).with_for_update(nowait=True)
    try:
        with crew.database.writing() as session:
            session.exec(rows).all()
    except StoreError:
        return False
    return True


def wait_for_the_end_of_leases(_crew: Crew, _victim: Worker) -> None:
    """Nothing to do: the leases run out by themselves."""


def end_its_leases(crew: Crew, victim: Worker) -> None:
    """Make the leases of a worker end now, as if the time had passed."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    held = crew.leased_by(victim)
    with crew.database.writing() as session:
        session.exec(update(Delivery).where(col(Delivery.id).in_(held)).values(lease_ends_at=past))


def finish(crew: Crew) -> None:
    """Let the workers send what is left, then end them."""
    _wait_until(lambda: not crew.mails_wait(), crew)
    crew.dismiss()


def _wait_until(condition: Callable[[], object], crew: Crew) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        crew.keep_up()
        if time.monotonic() > end:
            raise TimeoutError(f"{PATIENCE_SECONDS:.0f} seconds were not enough")
        time.sleep(0.05)


def _last_line(worker: Worker) -> str:
    said = worker.log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
    return f"{worker.command} ended with {worker.process.returncode}: {said[-1]}"
