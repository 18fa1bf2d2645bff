"""The clock: one tick, one job that fetches, one that delivers, and one that reads what came back;
each a call or two into the rooms below.

The truth about time is in the tables: a tick looks what is due (digests, fetches, a training)
and does it. Of several processes on one database the holder of the tick lock ticks, for as long
as it lives; delivering is shared by all, because a mail is leased before it is tried; the folder
with what came back is read by whoever has one, for it may be on another machine than the tick, and
a report counts once.
Sources are asked beside the tick, for to be polite is to wait, and the model is trained beside it,
which takes minutes where there is much to learn from: mail must not wait for either.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from paperpost.engine.choice import engine_of
from paperpost.engine.runs import compose_all_due
from paperpost.service import admission, alarm, bounce, courtesy, quarantine, timetable
from paperpost.service.alarm import Failing
from paperpost.service.deliver import send
from paperpost.service.fetch import fetch_due
from paperpost.service.installation import Installation, utc_now
from paperpost.service.train import enough_has_changed, train
from paperpost.service.unconfirmed import forget_unconfirmed

TICK_EVERY = timedelta(seconds=30)
# How long nobody ticks after the one that did has ended; if it froze, after its lock is free.
LEAD_EVERY = timedelta(seconds=5)
DELIVER_EVERY = timedelta(seconds=5)
LONGEST_BACK_OFF = timedelta(minutes=10)
# What is composed should know what is new, but no source keeps digests waiting for longer.
FETCH_PATIENCE_SECONDS = 120.0
PATIENCE_SECONDS = 5.0
# Who cannot compose lets another process try, which may be on a better machine; if for so long
# nobody does, it goes on itself.
FAILURES_TO_STAND_ASIDE = 3
STAND_ASIDE = timedelta(minutes=10)
NOBODY_DOES = 3 * LEAD_EVERY
_LOOK_SECONDS = 0.2

log = structlog.get_logger()


class Clockwork:
    """The jobs of one `work` process, and the means to stop them."""

    def __init__(self, installation: Installation, stop: threading.Event) -> None:
        self._installation = installation
        self._stop = stop
        self._engine = engine_of(installation.settings)
        self._lead = installation.database.lock("tick")
        self._fetch_lock = installation.database.lock("fetch")
        self._leads: bool | None = None
        self._aside_until = self._free_since = installation.clock()
        self._patience = timedelta()
        self._not_before = installation.clock()
        self._failing: dict[str, Failing] = {}
        self._troubles: frozenset[str] = frozenset()
        self._bounce_folder = bounce.open_folder(installation)
        self._fetch_began = time.monotonic()
        self._fetched = threading.Event()
        self._fetched.set()
        self._fetching = threading.Lock()
        self._training = threading.Lock()
        self._ticking = threading.Lock()
        self._delivering = threading.Lock()

    def run(self) -> bool:
        """Work until `stop` is set, then finish the mail in flight.

        Returns whether all work had ended; False means that a training or a request to a source
        was cut short, which leaves nothing half done.
        """
        scheduler = BackgroundScheduler(timezone="UTC")
        jobs = [
            (self._take_over, LEAD_EVERY),
            (self._fetch, TICK_EVERY),
            (self._tick, TICK_EVERY),
            (self._train, TICK_EVERY),
            (self._deliver, DELIVER_EVERY),
        ]
        if self._bounce_folder is not None:
            jobs.append((self._bounces, TICK_EVERY))
        now = utc_now()
        # Who takes over ticks by that, and trains once it is known who that is.
        later = {self._tick: TICK_EVERY, self._train: LEAD_EVERY}
        for job, every in jobs:
            # A late tick is still wanted, once: APScheduler would drop it after a second.
            scheduler.add_job(
                self._guarded(job),
                "interval",
                seconds=every.total_seconds(),
                next_run_time=now + later.get(job, timedelta()),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._begin_to_fetch()  # the first tick and the first fetch begin at once
        scheduler.start()
        log.info("working", store=self._installation.database.engine.dialect.name)
        self._stop.wait()
        self._lead.give_back()  # which also ends the tick at its next block
        scheduler.shutdown(wait=False)
        with self._delivering:  # the mail in flight is recorded, the rest given back
            pass
        under_way = (self._ticking, self._fetching, self._training)
        ended = [one.acquire(timeout=PATIENCE_SECONDS) for one in under_way]
        return all(ended)

    def _guarded(self, job: Callable[[], None]) -> Callable[[], None]:
        """A job whose failure is logged, kept for the alarm, and does not end the clock."""
        name = job.__name__.strip("_")

        def run() -> None:
            if self._stop.is_set():
                return
            try:
                job()
                self._failing.pop(name, None)
            except Exception as error:
                reason = str(error) or type(error).__name__
                first = self._failing.get(name) or Failing(self._installation.clock(), reason, 0)
                self._failing[name] = replace(first, times=first.times + 1)
                log.error("job failed", job=name, error=reason)
                log.debug("traceback", exc_info=True)

        return run

    def _take_over(self) -> None:
        """Tick at once, if nobody else does."""
        if self._lead.not_ours.is_set():
            self._tick()

    def _has_lead(self) -> bool:
        ours = not self._stop.is_set() and not self._stands_aside() and self._lead.take()
        if ours != self._leads:
            self._leads = ours
            log.info("this process ticks" if ours else "another process ticks; delivering only")
            if ours:
                self._aside_until = self._installation.clock()
                self._guarded(self._reckon)()
        return ours

    def _tick(self) -> None:
        with self._ticking:
            if not self._has_lead():
                return
            self._wait_for_papers()
            # Whatever becomes of one of them, the others get their turn; but none is begun by a
            # process that was frozen or cut off for so long that another one ticks by now.
            for job in (self._compose, self._alarm, self._forget):
                if not self._lead.not_ours.is_set():
                    self._guarded(job)()
            self._stand_aside()

    def _stand_aside(self) -> None:
        """Give the lead back after composing has failed again and again."""
        failing = self._failing.get("compose")
        if failing is None or failing.times % FAILURES_TO_STAND_ASIDE:
            return
        self._lead.give_back()
        self._leads = False
        self._free_since = self._installation.clock()
        self._aside_until = self._free_since + STAND_ASIDE
        log.warning("composing fails here; another process may tick", times=failing.times)

    def _stands_aside(self) -> bool:
        """Whether another process is to tick; not so after nobody has for a moment."""
        now = self._installation.clock()
        if now >= self._aside_until:
            return False
        if self._installation.database.holder("tick") is not None:
            self._free_since = now
        return now - self._free_since < NOBODY_DOES

    def _wait_for_papers(self) -> None:
        """Let a fetch that is under way end, if it began a moment ago."""
        until = self._fetch_began + FETCH_PATIENCE_SECONDS
        while not self._lead.not_ours.is_set() and time.monotonic() < until:
            if self._fetched.wait(_LOOK_SECONDS):
                return

    def _reckon(self) -> None:
        moved = timetable.reckon_again(self._installation)
        if moved:
            log.info("digests are due at another time than was reckoned", subscribers=moved)

    def _compose(self) -> None:
        counts = compose_all_due(self._installation, self._lead.not_ours, self._engine)
        if counts:
            log.info("composed", **{word.replace(" ", "_"): n for word, n in counts.items()})

    def _begin_to_fetch(self) -> None:
        self._fetch_began = time.monotonic()
        self._fetched.clear()

    def _fetch(self) -> None:
        if self._leads is False:  # who ticks asks, so that digests can wait for what is new
            return
        self._begin_to_fetch()
        try:
            with self._fetching, self._fetch_lock.held() as ours:
                result = fetch_due(self._installation, self._stop) if ours else None
        finally:
            self._fetched.set()
        if result is not None:
            log.info("fetched", added=result.added, updated=result.updated, known=result.skipped)
            for rejected in result.rejected:
                log.warning("rejected", source=rejected.file, reason=rejected.reason)

    def _train(self) -> None:
        """Who ticks trains, and ticks on meanwhile: with many readers it takes minutes."""
        if self._lead.not_ours.is_set():
            return
        self._wait_for_papers()
        started = time.perf_counter()
        with self._training:
            changed = enough_has_changed(self._installation)
            trained = train(self._installation) if changed else None
        if trained is not None:
            seconds = round(time.perf_counter() - started, 1)
            log.info("trained", papers=trained.papers, votes=trained.votes, seconds=seconds)

    def _alarm(self) -> None:
        now = self._installation.clock()
        found = alarm.look(self._installation, dict(self._failing), now)
        for trouble in found:
            if trouble.key not in self._troubles:
                log.warning("trouble", what=trouble.sentence)
        self._troubles = frozenset(trouble.key for trouble in found)
        if alarm.tell(self._installation, found, now):
            log.info("a mail to the operator is queued")

    def _forget(self) -> None:
        quarantine.forget_old(self._installation)
        courtesy.forget_old(self._installation)
        admission.forget_old(self._installation)
        forgotten = forget_unconfirmed(self._installation)
        if forgotten:
            log.info("forgot who never confirmed", subscribers=forgotten)

    def _bounces(self) -> None:
        if self._bounce_folder is None:
            return
        counts = bounce.take_new(self._installation, self._bounce_folder, self._stop)
        if counts:
            log.info("bounces", counted=counts["counted"], ignored=counts["ignored"])

    def _deliver(self) -> None:
        self._installation.database.compare_clocks()
        if self._installation.clock() < self._not_before:
            return
        with self._delivering:
            tally = send(self._installation, self._stop, patient=False)
        if any((tally.sent, tally.failed, tally.unknown, tally.unreachable)):
            log.info("delivered", sent=tally.sent, failed=tally.failed, unknown=tally.unknown)
        self._back_off(tally.unreachable)

    def _back_off(self, unreachable: str | None) -> None:
        """Leave a server alone that refuses us, for longer each time: providers lock accounts
        that keep trying to log in."""
        if unreachable is None:
            self._patience = timedelta()
            return
        self._patience = min(max(2 * self._patience, DELIVER_EVERY), LONGEST_BACK_OFF)
        self._not_before = self._installation.clock() + self._patience
        seconds = round(self._patience.total_seconds())
        log.warning("mail server not reached", reason=unreachable, again_in_seconds=seconds)
