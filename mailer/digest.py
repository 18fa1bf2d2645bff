"""What a mail is made of: plain values, no behaviour."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class PaperText:
    """One paper as its source wrote it: may hold LaTeX and hostile characters, of any length."""

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    announced: date
    url: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """The impersonal part of a paper's block, rendered once; every digest that has the paper
    shares it.

    html and text end before the reasons; url is the paper's address, whose line follows them.
    In html, what can be cut stands between marks (comments), so that a long digest can shorten it.
    """

    html: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Revision:
    """When a new version of a paper was announced, and its number where that is known."""

    on: date
    version: int | None


@dataclass(frozen=True, slots=True)
class DigestItem:
    """One paper of one subscriber's digest; title is the raw one, reasons are plain sentences.

    trending: it stands there for what others vote, as nothing is known of the subscriber;
    explored: because it is outside their usual. revised: the paper is an older one, its version is
    new.
    """

    fragment: Fragment
    title: str
    reasons: tuple[str, ...]
    more_url: str
    less_url: str
    trending: bool = False
    explored: bool = False
    revised: Revision | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """What one subscriber gets for one date; without items, the note that there are none.

    considered is how many new papers were looked at; frequency is daily, weekdays or weekly; why
    names what the ranking knew ("graph neural networks and 3 votes") and may be empty; silence
    says, in a sentence or two, why there are no papers, missing why there are not all.
    """

    local_date: date
    items: tuple[DigestItem, ...]
    considered: int
    frequency: str
    preferences_url: str
    unsubscribe_url: str
    why: str
    silence: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What every mail needs besides its content.

    sender is a mailbox with an optional name, recipient a bare address, message_id in angle
    brackets, date aware; operator is the address of whoever runs this installation.
    """

    sender: str
    recipient: str
    message_id: str
    date: datetime
    postal_address: str | None
    public_url: str
    operator: str | None
