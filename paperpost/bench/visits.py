"""Every page that is timed, and how it is asked for, in the installation of months.py."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit

from paperpost.bench.months import READER
from paperpost.service import links
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.periods import Span, around
from paperpost.store import digest_history, papers, subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Paper
from paperpost.web.visitor import COOKIE

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: a GET, or a POST of that `body`."""

    name: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the paths are made of: tokens by purpose, and what is looked at."""

    tokens: Mapping[Purpose, str]
    operator: str
    newest: date
    paper: Paper
    digest: date
    words: str


def visits(installation: Installation) -> list[Visit]:
    """The pages that everybody sees, those of a reader, and the API."""
    known = _known(installation)
    return [*_public(known), *_own(known), *_api(known)]


def _known(installation: Installation) -> _Known:
    with installation.database.reading() as session:
        person = subscribers.by_email(session, READER)
        newest = papers.newest_day(session)
        if person is None or newest is None:
            raise ValueError("the installation is not filled")
        paper = papers.announced(session, newest, newest)[0]
        (digest, *_) = digest_history.page(session, id_of(person), limit=1)
    made = {
        purpose: links.token(installation.signer, purpose, installation.clock(), id_of(person))
        for purpose in (Purpose.PREFERENCES, Purpose.SESSION, Purpose.FEED, Purpose.API)
    }
    operator = urlsplit(links.operator_url(installation, installation.clock())).path
    words = paper.title.split()[2]
    return _Known(made, operator, newest, paper, digest.local_date, words)


def _public(known: _Known) -> Iterator[Visit]:
    signed_in = {"Cookie": f"{COOKIE}={known.tokens[Purpose.SESSION]}"}
    yield Visit("front page", "/")
    yield Visit("front page, signed in", "/", signed_in)
    for span in Span:
        period = around(span, known.newest)
        path = f"/{span}/{period.name}"
        yield Visit(span, path)
        if span != Span.DAY:
            yield Visit(f"{span}, newest first, second page", f"{path}?order=newest&page=2")
        yield Visit(f"{span}, one category", f"{path}?category=cs.CL")
        yield Visit(f"{span}, signed in", path, signed_in)
        yield Visit(f"trending of a {span}", f"/trending?window={span}")
    yield Visit("paper", f"/paper/{known.paper.id}")
    yield Visit("paper, signed in", f"/paper/{known.paper.id}", signed_in)
    yield Visit("BibTeX", f"/bibtex/{known.paper.id}")
    yield Visit("search", "/search")
    yield Visit("search, one word", f"/search?q={known.words}")
    yield Visit("subscribe", "/subscribe")
    yield Visit("subscribe, with a word", f"/subscribe?keywords={known.words}")
    form = f"email=&keywords={known.words}"
    yield Visit("preview", "/subscribe/preview", FORM, form)
    yield Visit("my link", "/link")
    yield Visit("the API's page", "/api")


def _own(known: _Known) -> Iterator[Visit]:
    own = f"/{Purpose.PREFERENCES}/{known.tokens[Purpose.PREFERENCES]}"
    for name, path in (
        ("preferences", ""),
        ("interests", "/interests"),
        ("what I like", "/likes"),
        ("votes", "/votes"),
        ("digests", "/digests"),
        ("a digest", f"/digests/{known.digest}"),
        ("a digest's mail", f"/digests/{known.digest}/mail"),
        ("how it did", "/record"),
        ("library", "/library"),
        ("rate papers", "/rate"),
    ):
        yield Visit(name, own + path)
    yield Visit("feed", f"/{Purpose.FEED}/{known.tokens[Purpose.FEED]}.xml")
    yield Visit("the operator's page", known.operator)


def _api(known: _Known) -> Iterator[Visit]:
    for path in (
        "days/newest",
        f"weeks/{around(Span.WEEK, known.newest).name}",
        f"months/{around(Span.MONTH, known.newest).name}",
        "trending",
        f"papers/{known.paper.id}",
        f"similar/{known.paper.id}",
        f"search?q={known.words}",
    ):
        yield Visit(f"/api/{path.partition('?')[0].partition('/')[0]}", f"/api/{path}")
    bearer = {"Authorization": f"Bearer {known.tokens[Purpose.API]}"}
    for name in (
        "",
        "/interests",
        "/likes",
        "/votes",
        "/ranking",
        "/digests",
        "/record",
        "/questions",
    ):
        yield Visit(f"/api/me{name}", f"/api/me{name}", bearer)
