"""One installation: its settings, database, keys, clock and model, handed to every verb."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from mailer.dkim import DkimError, DkimSigner
from mailer.links import Signer
from mailer.smtp import TransportError, parse_smtp_url
from paperpost.service.kept import Kept, Recent
from paperpost.service.turns import Turns
from paperpost.settings import Settings, SettingsError, unknown_variables
from paperpost.store import outbox
from paperpost.store.database import Database
from paperpost.store.tables import Fragment

if TYPE_CHECKING:  # the model's libraries take seconds to load, and `send` needs none of them
    from paperpost.service.periods import Period
    from paperpost.service.seen import Places
    from paperpost.service.space import Space
    from paperpost.service.trending import Board
    from paperpost.service.window import Stamp, Window
    from recommender.errors import SnapshotError
    from recommender.model import Model
    from recommender.seen import Seen


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


def time_of(database: Database) -> Callable[[], datetime]:
    """The time that all machines go by that share a database: the server's, by how far it was from
    this machine's when they were compared last."""
    return lambda: utc_now() + database.ahead


# Pages may be as old as this where they took long to make.
FRESH_FOR = timedelta(seconds=60)
# The categories of so many are counted in some thousandths of a second.
FEW_PAPERS = 2_000
FEW_MAILS = 50_000
# Some 5 kB each.
MOST_SEEN = 5_000


def silently(_line: str) -> None:
    """Say nothing."""


def _boards() -> Kept[tuple[date, date], Board]:
    return Kept(FRESH_FOR, lambda board: board.is_cheap)


def _categories() -> Kept[Period, Counter[str]]:
    return Kept(FRESH_FOR, lambda papers: papers.total() < FEW_PAPERS)


def _seen() -> Recent[tuple[str, str, datetime], Seen]:
    return Recent(MOST_SEEN)


def _stamps() -> Kept[tuple[date, date, bool], Stamp]:
    return Kept(FRESH_FOR, lambda stamp: len(stamp) < FEW_PAPERS)


def _mails() -> Kept[str, dict[str, int]]:
    return Kept(FRESH_FOR, lambda states: sum(states.values()) < FEW_MAILS)


@dataclass(frozen=True, slots=True)
class Current:
    """A model and the number of its snapshot."""

    model: Model
    snapshot_id: int


@dataclass
class ModelSlot:
    """The model this process works with, and when the store was asked; `pinned` is the one that a
    run holds on to (one_model.py), `unreadable` are snapshots by number, when they were
    tried and what is wrong with them; `folder_is_missed` says that the shared folder is out of
    reach, and that this was told.

    `one_loads` is held while a page has the model loaded, `one_previews` while one visitor's
    interests are tried; `windows` are the candidates ranked last (window.py), `rendered` the
    fragments of papers by number and last change (drafting.py); `boards` and `categories` are what
    lists are made of (trending.py, lists.py), `mails` all mails by state (overview.py); `stamps`
    tell whether windows still hold, `seen` are papers that were voted on, by model, id and last
    change, and `places` where those stand that the model knows (seen.py).
    """

    current: Current | None = None
    pinned: Current | None = None
    unreadable: dict[int, tuple[datetime, SnapshotError]] = field(default_factory=dict)
    folder_is_missed: bool = False
    looked_at: datetime | None = None
    page_looked_at: datetime | None = None
    # The thread that loads a newer model while pages go on with the older one.
    loading: Thread | None = None
    one_loads: Lock = field(default_factory=Lock)
    one_previews: Turns = field(default_factory=Turns)
    windows: tuple[Window, ...] = ()
    boards: Kept[tuple[date, date], Board] = field(default_factory=_boards)
    categories: Kept[Period, Counter[str]] = field(default_factory=_categories)
    mails: Kept[str, dict[str, int]] = field(default_factory=_mails)
    stamps: Kept[tuple[date, date, bool], Stamp] = field(default_factory=_stamps)
    seen: Recent[tuple[str, str, datetime], Seen] = field(default_factory=_seen)
    rendered: dict[tuple[int, datetime], Fragment] = field(default_factory=dict)
    places: Places | None = None
    # The papers in the model's space (space.py), the thread that puts newer ones there, and whether
    # it is to end.
    space: Space | None = None
    space_looked_at: datetime | None = None
    one_folds: Lock = field(default_factory=Lock)
    folding: Thread | None = None
    closing: Event = field(default_factory=Event)

    @property
    def model(self) -> Model | None:
        """The model alone."""
        current = self.current
        return None if current is None else current.model

    def snapshot_of(self, model: Model) -> int | None:
        """The number of the snapshot that a model is of, if it is at hand."""
        at_hand = (self.current, self.pinned)
        return next((one.snapshot_id for one in at_hand if one and one.model is model), None)


@dataclass(frozen=True)
class Installation:
    """What a verb needs besides its own arguments.

    `clock` gives aware UTC datetimes; `say` is told one line whenever work takes longer than a
    second.
    """

    settings: Settings
    database: Database
    clock: Callable[[], datetime] = utc_now
    say: Callable[[str], None] = silently
    slot: ModelSlot = field(default_factory=ModelSlot)

    @cached_property
    def signer(self) -> Signer:
        """Signs and reads the links of mails."""
        return Signer(self.keys)

    @cached_property
    def keys(self) -> tuple[bytes, ...]:
        """The secrets behind links and Message-IDs, the one that signs first."""
        return self.settings.signing_keys()

    @cached_property
    def dkim(self) -> DkimSigner | None:
        """Signs mails as coming from our domain; None: that is left to the mail server."""
        return dkim_signer(self.settings)

    def at(self, now: datetime) -> Installation:
        """The same one, whose clock stands still at that moment."""
        return replace(self, clock=lambda: now)

    def close(self) -> None:
        """End what runs beside the requests, and give the database's connections back."""
        self.slot.closing.set()
        for thread in (self.slot.loading, self.slot.folding):
            if thread is not None:
                thread.join()
        self.slot.boards.close()
        self.slot.categories.close()
        self.slot.mails.close()
        self.slot.stamps.close()
        self.database.close()


def open_installation(
    settings: Settings,
    *,
    command: str = "",
    say: Callable[[str], None] = silently,
) -> Installation:
    """The installation of these settings, for the command of that name; raises StoreError unless
    its tables are up to date, and SettingsError for a mail server's URL or a key that cannot be
    used."""
    _require_usable_smtp(settings)
    dkim_signer(settings)
    database = Database(settings.store_url, f"paperpost {command}".strip())
    with ExitStack() as unless_it_opens:
        unless_it_opens.callback(database.close)
        database.require_current()
        database.compare_clocks()
        for line in unknown_variables(os.environ):
            say(line)
        _look_at_the_key(settings, database, say)
        unless_it_opens.pop_all()
    return Installation(settings, database, time_of(database), say)


def _require_usable_smtp(settings: Settings) -> None:
    try:
        if settings.smtp_url:
            parse_smtp_url(settings.smtp_url)
    except TransportError as error:
        raise SettingsError(f"PAPERPOST_SMTP_URL: {error}") from error


def dkim_signer(settings: Settings) -> DkimSigner | None:
    """Signs for the domain of the From header, as DMARC wants (RFC 7489, section 3.1.1).

    None without a key; raises SettingsError for one that cannot sign."""
    if settings.dkim_key is None:
        return None
    try:
        return DkimSigner(settings.dkim_key, settings.dkim_selector, settings.sender_domain)
    except DkimError as error:
        raise SettingsError(f"PAPERPOST_DKIM_KEY: {error}") from error


def _look_at_the_key(settings: Settings, database: Database, say: Callable[[str], None]) -> None:
    """An unusable key is an error before any work begins; that one was lost is told."""
    lost = not settings.secret_key and not settings.key_file.exists()
    settings.signing_keys()
    with database.reading() as session:
        if lost and outbox.any_mail(session):
            say(f"{settings.key_file} was lost and is made anew: links in earlier mails are dead")
