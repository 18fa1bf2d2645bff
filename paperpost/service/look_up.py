"""What arXiv says of works in readers' libraries: asked once, and only where it is needed."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpost.service.installation import Installation
from paperpost.service.shelf import work_of
from paperpost.sources.arxiv_search import papers_by, papers_of
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import SourceError
from paperpost.sources.found import FoundPaper
from paperpost.sources.libraries.entry import LibraryEntry, entry_of
from paperpost.store import library, papers
from paperpost.store.database import in_chunks, take_turns
from paperpost.store.papers import number_of

# With each fetch; arXiv answers for a hundred in three seconds.
MOST_WITH_A_FETCH = 1_000
_BATCH = 250
_ASKED = "arXiv was asked"


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What arXiv said: the ids that it `found`, and those that it does not know."""

    found: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()


def look_up(
    installation: Installation,
    client: PoliteClient,
    *,
    subscriber_id: int | None = None,
    limit: int = MOST_WITH_A_FETCH,
) -> LookedUp:
    """Ask for the works that have an arXiv id and no abstract, of one reader's library or of all.

    Of what arXiv does not know only that stays of which something else was told. What it could not
    be asked for waits for the next time.
    """
    with installation.database.reading() as session:
        waiting = library.incomplete(session, limit, subscriber_id)
    wanted = {number_of(work): library.public_name(work) for work in waiting}
    ids = sorted(set(wanted.values()))
    if not ids:
        return LookedUp()
    installation.say(f"asking arXiv for {len(ids):,} papers of readers' libraries")
    found, unknown = _ask(installation, client, ids)
    answered = {n: name for n, name in wanted.items() if name in found or name in unknown}
    for chunk in in_chunks(answered, _BATCH):
        _keep(installation, {number: found.get(answered[number]) for number in chunk})
    return LookedUp(frozenset(found), frozenset(unknown))


def _ask(
    installation: Installation, client: PoliteClient, ids: Sequence[str]
) -> tuple[dict[str, FoundPaper], set[str]]:
    """What arXiv has of these ids, and which it has not; those that it did not answer are in
    neither."""
    found: dict[str, FoundPaper] = {}
    unknown: set[str] = set()
    try:
        for one in papers_of(client, ids, installation.clock().date()):
            if not isinstance(one, FoundPaper):
                unknown.add(ids[one.record - 1])
            elif one.id is not None:
                found[one.id] = one
    except SourceError as error:
        installation.say(f"arXiv is asked for the rest with the next fetch: {error}")
    return found, unknown


def _keep(installation: Installation, said: dict[int, FoundPaper | None]) -> None:
    with installation.database.writing() as session:
        take_turns(session, "paper_alias")
        works = papers.by_number(session, said)
        for number, work in works.items():
            found = said[number]
            if found is not None:
                entry = entry_of("", found)
                library.complete(session, work, work_of(entry), installation.clock())
            work.comment = _ASKED
            session.add(work)
        library.remove(session, [n for n, work in works.items() if not said[n] and not work.title])


def publications(
    installation: Installation, client: PoliteClient, author: str
) -> list[LibraryEntry]:
    """What an author has on arXiv, the newest first. Raises SourceError."""
    found = papers_by(client, author, installation.clock().date())
    return [entry_of(f"paper {place}", paper) for place, paper in enumerate(found, start=1)]
