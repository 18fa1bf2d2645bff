"""The tables, and nothing but the tables.

No `from __future__ import annotations` here: SQLModel reads the annotations at class creation.
Times are aware UTC datetimes; dates are announcement days or a subscriber's local days.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy import Column as SqlColumn
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

# Names for constraints, so that a migration can drop them on SQLite and PostgreSQL alike.
SQLModel.metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; SQLite has no time zones of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database; a naive datetime is a mistake of ours and refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SubscriberState(StrEnum):
    """Where a subscriber stands: only `active` ones are mailed digests."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"


class InterestKind(StrEnum):
    """What an interest is about."""

    KEYWORD = "keyword"
    AUTHOR = "author"
    CATEGORY = "category"
    MUTED = "muted"
    # A word that counts for nothing in the profile, where votes brought it in; nothing is left out.
    FORGOTTEN = "forgotten"


class DeliveryKind(StrEnum):
    """What a mail is."""

    DIGEST = "digest"
    CONFIRMATION = "confirmation"
    ACCESS_LINK = "access-link"
    ALARM = "alarm"  # to the operator; the others are to subscribers


class DeliveryState(StrEnum):
    """Where a mail stands; all deliveries are the sum over these."""

    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    SILENT = "silent"


class BounceKind(StrEnum):
    """What came back: a refusal for good, one for now, or the reader's word that it is spam.

    A soft one is forgiven when mail is asked for again."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    FORGIVEN = "forgiven"


def _reference(target: str, *, index: bool = False, optional: bool = False) -> Any:
    """A foreign key whose row goes when what it points to goes."""
    return SqlColumn(
        Integer,
        ForeignKey(target, ondelete="CASCADE"),
        index=index,
        nullable=optional,
    )


def _time(*, optional: bool = False, index: bool = False) -> Any:
    return SqlColumn(UtcDateTime, nullable=optional, index=index)


def _json(*, optional: bool = False) -> Any:
    return SqlColumn(JSON(none_as_null=True), nullable=optional)


# The day of a work that only a reader's own library tells of (library.py): no day at all.
NEVER_ANNOUNCED = date.min


class Paper(SQLModel, table=True):
    """One work, whatever its versions and sources.

    `number` never changes and is what other rows point to; `id` is the best public name known
    so far: a bare arXiv id, else doi:, pmid:, hf: and a hash of the title. `revised` is the day on
    which its newest replacement was announced, None as long as the first version stands.
    AUTOINCREMENT: the number of a paper that was merged into another one never returns.
    """

    __table_args__ = ({"sqlite_autoincrement": True},)

    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    title: str
    abstract: str
    authors: list[str] = Field(sa_column=_json())
    categories: list[str] = Field(sa_column=_json())
    comment: str | None = None
    announced: date = Field(index=True)
    version: int | None = None
    url: str | None = None
    source: str
    added_at: datetime = Field(sa_column=_time())
    changed_at: datetime = Field(sa_column=_time(index=True))
    # The most that readers of Hugging Face were seen to give it, and the first day it stood there.
    upvotes: int | None = None
    upvotes_at: datetime | None = Field(default=None, sa_column=_time(optional=True))
    # How many comments it was seen to have there.
    discussed: int | None = None
    revised: date | None = Field(default=None, index=True)
    # When it was told that there is a newer replacement than before.
    revised_at: datetime | None = Field(default=None, sa_column=_time(optional=True))
    # The first day that it ever stood under, where it was parted from what made it older since.
    stood_from: date | None = None


class PaperAlias(SQLModel, table=True):
    """Every name a paper has been met under, its public id and its titles' keys included; several
    papers may have one title."""

    __tablename__ = "paper_alias"

    alias: str = Field(primary_key=True)
    paper_number: int = Field(
        sa_column=SqlColumn(
            Integer, ForeignKey("paper.number", ondelete="CASCADE"), primary_key=True, index=True
        )
    )


class PaperRecord(SQLModel, table=True):
    """What one source said of a paper, kept where several records make one paper. A paper without
    such rows is its only record.

    `name` is the identifier that the source gave, `said` the rest of it as JSON.
    """

    __tablename__ = "paper_record"

    id: int | None = Field(default=None, primary_key=True)
    paper_number: int = Field(sa_column=_reference("paper.number", index=True))
    name: str
    said: dict[str, Any] = Field(sa_column=_json())


class WaitingRecord(SQLModel, table=True):
    """A replacement of a paper that no source has told yet: a part of it once one does."""

    __tablename__ = "waiting_record"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    said: dict[str, Any] = Field(sa_column=_json())
    told_at: datetime = Field(sa_column=_time(index=True))


class PaperMerged(SQLModel, table=True):
    """A row number that was given up when two papers turned out to be one: digests and links in
    old mails still hold it. The higher `id` is the later."""

    __tablename__ = "paper_merged"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    number: int = Field(unique=True)
    paper_number: int = Field(sa_column=_reference("paper.number", index=True))


class Subscriber(SQLModel, table=True):
    """A person with an address. AUTOINCREMENT: the number of someone deleted never returns,
    so an old link can never reach a stranger."""

    __table_args__ = (
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        CheckConstraint("size BETWEEN 1 AND 50", name="size"),
        CheckConstraint("threshold BETWEEN 0 AND 1", name="threshold"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    state: str = Field(index=True)
    timezone: str = "UTC"
    hour: int = 8
    size: int = 10
    frequency: str = "daily"
    paused_until: date | None = Field(default=None, index=True)
    joined_at: datetime = Field(sa_column=_time())
    confirmed_at: datetime | None = Field(default=None, sa_column=_time(optional=True))
    left_at: datetime | None = Field(default=None, sa_column=_time(optional=True))
    next_due_at: datetime | None = Field(default=None, sa_column=_time(optional=True, index=True))
    # Raised by each composed digest: whoever ranked with an older value may not insert.
    digest_count: int = 0
    # Papers less probably liked than this are not mailed; None: the best are, however good.
    threshold: float | None = None
    # Whether one paper a digest may be from outside the usual.
    explore: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    # Whether a day without papers is told by a short mail rather than by none.
    quiet_note: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    # Whether papers that are announced again in a new version may be mailed.
    revisions: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    # Since when nothing is mailed because of bounces, and why; None: the address works.
    suppressed_at: datetime | None = Field(default=None, sa_column=_time(optional=True))
    suppressed_because: str | None = None
    # Links made before this open nothing any more, but for those that unsubscribe.
    links_from: datetime | None = Field(default=None, sa_column=_time(optional=True))


class NamedInterest(SQLModel, table=True):
    """One of several interests that a subscriber keeps apart, by a name of their own; `share` is
    its part of their digest, in relation to the shares of the others."""

    __tablename__ = "named_interest"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "name"),
        CheckConstraint("share BETWEEN 1 AND 100", name="share"),
    )

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(sa_column=_reference("subscriber.id"))
    name: str
    share: int


class Interest(SQLModel, table=True):
    """One thing a subscriber asked for, or asked not to see; a part of the named interest
    `named_id`, or of none."""

    __table_args__ = (UniqueConstraint("subscriber_id", "kind", "value"),)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(sa_column=_reference("subscriber.id", index=True))
    named_id: int | None = Field(
        default=None, sa_column=_reference("named_interest.id", index=True, optional=True)
    )
    kind: str
    value: str


class Vote(SQLModel, table=True):
    """One act of voting; of the counted ones on a paper the newest holds.

    `value` is 1, -1, or 0 for a withdrawal. A vote counts from `counts_at` on, unless `voided`
    says why it never will.
    """

    # All that a profile needs of a reader's votes, so that they are not looked up one by one where
    # they lie, scattered over years of rows.
    __table_args__ = (
        Index(
            "ix_vote_subscriber_id",
            "subscriber_id",
            "paper_number",
            postgresql_include=["id", "value", "origin", "counts_at", "voided"],
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(sa_column=_reference("subscriber.id"))
    paper_number: int = Field(sa_column=_reference("paper.number", index=True))
    value: int
    origin: str
    cast_at: datetime = Field(sa_column=_time())
    counts_at: datetime = Field(sa_column=_time())
    voided: str | None = None


class VotePost(SQLModel, table=True):
    """One form posted behind a vote link, whether it changed anything or not: what tells a
    person's clicks from a program's.

    `link_value` is what the link stands for (1 or -1), `value` what was posted (1, -1 or 0), and
    `issued_at` the moment at which the link's digest was composed.
    """

    __tablename__ = "vote_post"
    __table_args__ = (Index("ix_vote_post_subscriber_id_posted_at", "subscriber_id", "posted_at"),)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(sa_column=_reference("subscriber.id"))
    paper_number: int = Field(sa_column=_reference("paper.number", index=True))
    link_value: int
    value: int
    issued_at: datetime = Field(sa_column=_time())
    posted_at: datetime = Field(sa_column=_time())


class Press(SQLModel, table=True):
    """A subscriber's last press of the unsubscribe page's button that ended the subscription.

    `due_at` is when the next digest had been due; `undone_at` is when the press turned out to be a
    program's.
    """

    subscriber_id: int = Field(
        sa_column=SqlColumn(
            Integer,
            ForeignKey("subscriber.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        )
    )
    pressed_at: datetime = Field(sa_column=_time())
    due_at: datetime | None = Field(default=None, sa_column=_time(optional=True))
    undone_at: datetime | None = Field(default=None, sa_column=_time(optional=True))


class FormPost(SQLModel, table=True):
    """An address that somebody typed into an open form, kept for an hour: by marks that tell one
    address and one client from another, and nobody which they are (service/admission.py)."""

    __tablename__ = "form_post"

    id: int | None = Field(default=None, primary_key=True)
    form: str
    address: str = Field(index=True)
    client: str
    posted_at: datetime = Field(sa_column=_time(index=True))


class Delivery(SQLModel, table=True):
    """One mail's way to a mail server: the outbox.

    `subscriber_id` is None for an alarm, which goes to the operator; `content` is what a mail says
    that is neither a digest nor made of links alone; `domain` is that of the address it goes to.
    """

    __table_args__ = (
        # Many are due at one moment; the oldest of them are next.
        Index("ix_delivery_state_due_at_id", "state", "due_at", "id"),
        # Of the few that are leased, among all the mails there ever were.
        Index(
            "ix_delivery_lease",
            "lease",
            sqlite_where=text("lease IS NOT NULL"),
            postgresql_where=text("lease IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    subscriber_id: int | None = Field(
        default=None, sa_column=_reference("subscriber.id", index=True, optional=True)
    )
    domain: str = Field(default="", sa_column_kwargs={"server_default": ""})
    local_date: date
    state: str
    content: dict[str, Any] | None = Field(default=None, sa_column=_json(optional=True))
    created_at: datetime = Field(sa_column=_time())
    due_at: datetime = Field(sa_column=_time())
    expires_at: datetime = Field(sa_column=_time())
    attempts: int = 0
    tried_at: datetime | None = Field(default=None, sa_column=_time(optional=True))
    lease: str | None = None
    lease_ends_at: datetime | None = Field(default=None, sa_column=_time(optional=True))
    message_id: str
    reply: str = ""
    sent_at: datetime | None = Field(default=None, sa_column=_time(optional=True))


class Digest(SQLModel, table=True):
    """What one subscriber gets for one local date, frozen when it is composed.

    `items`: in order of rank {"paper": number, "fragment": id, "score": float, "blend": version,
    "probability": float, "reasons": [str], "trending": bool, "explored": bool, "revised": None or
    {"on": date, "version": int or None}, "also": [numbers of papers that are the same work],
    "interest": the name of the interest that it is for, or ""}. Those of older versions lack the
    newer keys; a number may have been given up since (PaperMerged).
    `silence`: why there are none; `missing`: whose papers should have been there; `owed_from`: the
    oldest day of which papers were still expected.
    """

    __table_args__ = (UniqueConstraint("subscriber_id", "local_date"),)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(sa_column=_reference("subscriber.id"))
    local_date: date
    delivery_id: int = Field(sa_column=_reference("delivery.id", index=True))
    composed_at: datetime = Field(sa_column=_time())
    template_version: str
    frequency: str
    why: str
    considered: int
    # The highest number of a paper when the candidates were read: later ones came too late.
    newest_paper: int
    items: list[dict[str, Any]] = Field(sa_column=_json())
    silence: str = Field(default="", sa_column_kwargs={"server_default": ""})
    missing: str = Field(default="", sa_column_kwargs={"server_default": ""})
    owed_from: date | None = None


class Fragment(SQLModel, table=True):
    """The frozen text of one paper's block, shared by all digests that show it."""

    __table_args__ = (UniqueConstraint("paper_number", "checksum"),)

    id: int | None = Field(default=None, primary_key=True)
    paper_number: int = Field(sa_column=_reference("paper.number"))
    checksum: str
    title: str
    url: str
    html: str
    text: str


class Throttle(SQLModel, table=True):
    """How long a domain of recipients is left alone after its server said "too much" (`reply`);
    the connections it gets after that grow with the time since then."""

    domain: str = Field(primary_key=True)
    closed_until: datetime = Field(sa_column=_time())
    reply: str


class Bounce(SQLModel, table=True):
    """What came back from a mail: `status` is its enhanced status code (RFC 3463) where one was
    given, `detail` the server's words. `fingerprint` keeps one report from counting twice."""

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(sa_column=_reference("subscriber.id", index=True))
    kind: str
    status: str
    detail: str
    received_at: datetime = Field(sa_column=_time())
    fingerprint: str = Field(unique=True)


class Snapshot(SQLModel, table=True):
    """A trained model: the newest row names the file that every process loads.

    `last_vote` is the number up to which no vote was held any more when it was trained, None if
    an earlier version trained it.
    """

    id: int | None = Field(default=None, primary_key=True)
    file: str = Field(unique=True)
    trained_at: datetime = Field(sa_column=_time())
    papers: int
    votes: int
    last_vote: int | None = None
    seconds: float


class SnapshotPart(SQLModel, table=True):
    """A piece of a snapshot's file, for machines that share the database alone. A snapshot gets its
    row when all its pieces are there."""

    __tablename__ = "snapshot_part"

    file: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    content: bytes


class SourceRun(SQLModel, table=True):
    """How the last fetch of a source ended."""

    __tablename__ = "source_run"

    source: str = Field(primary_key=True)
    asked_at: datetime = Field(sa_column=_time())
    succeeded_at: datetime | None = Field(default=None, sa_column=_time(optional=True))
    state: str
    detail: str = ""


class SourceDay(SQLModel, table=True):
    """What is known of the papers of one source and day: a state, and the evidence for it as a
    sentence. `ids` are those of the day's batch, kept for as long as it is the source's newest:
    by them a feed is known that still carries the batch of the day before."""

    __tablename__ = "source_day"

    source: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    state: str
    evidence: str
    papers: int = 0
    looked_at: datetime = Field(sa_column=_time())
    ids: list[str] | None = Field(default=None, sa_column=_json(optional=True))


class Request(SQLModel, table=True):
    """One request that was made, and how it was answered: `status` is None where no answer came,
    `said` the reason then, or what the server asked for (to be left alone for a while)."""

    id: int | None = Field(default=None, primary_key=True)
    host: str
    url: str
    asked_at: datetime = Field(sa_column=_time(index=True))
    seconds: float
    status: int | None = None
    size: int = 0
    said: str = ""


class WebValidator(SQLModel, table=True):
    """What to say to a web server so that it need not send again what was taken in. `url` has no
    secrets: where there were some, it has a mark of them instead."""

    __tablename__ = "web_validator"

    url: str = Field(primary_key=True)
    etag: str | None = None
    last_modified: str | None = None
    kept_at: datetime | None = Field(default=None, sa_column=_time(optional=True))


class HostTurn(SQLModel, table=True):
    """When a host may be asked next, by whichever process comes first, and whose request is on its
    way: a host has one at a time. A holder that dies holds it no longer than `held_until`."""

    __tablename__ = "host_turn"

    host: str = Field(primary_key=True)
    free_at: datetime = Field(sa_column=_time())
    holder: str | None = None
    held_until: datetime | None = Field(default=None, sa_column=_time(optional=True))
