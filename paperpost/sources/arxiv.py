"""arXiv's daily feeds, fetched: `arxiv:cs.AI+cs.CL` is the day's batch of two categories."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from paperpost.sources.client import Answer, PoliteClient
from paperpost.sources.errors import FeedError, RequestFailed, SourceError, UnknownSource
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Rejected

BASE_URL = "https://rss.arxiv.org"
KNOWN_SOURCES = ("arxiv:CATEGORY[+CATEGORY...]",)

_CATEGORY = re.compile(r"[a-z]+(-[a-z]+)?(\.[a-z]+(-[a-z]+)?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FetchedBatch:
    """What one request brought; `not_modified` if it is still what was taken in before."""

    found: list[FoundPaper]
    rejected: list[Rejected]
    not_modified: bool
    url: str
    answer: Answer

    @property
    def complete(self) -> bool:
        """Did the whole batch arrive?"""
        return not any(rejected.damage for rejected in self.rejected)

    def keep(self) -> None:
        """Say that the batch is taken in: the next request then asks for changes only.

        Of half a batch nothing is kept, so that the next request brings all of it.
        """
        if self.complete:
            self.answer.keep()


class ArxivFeed:
    """The RSS feed of some categories. It holds the current batch alone, whatever the day."""

    def __init__(
        self, categories: Sequence[str], client: PoliteClient, base_url: str = BASE_URL
    ) -> None:
        self.categories = tuple(categories)
        self.url = f"{base_url.rstrip('/')}/rss/{'+'.join(categories)}"
        self._client = client

    def fetch(self, today: date) -> FetchedBatch:
        """Ask once. Raises SourceError: no answer, no feed, or an error in a feed's clothes."""
        try:
            answer = self._client.get(self.url)
        except RequestFailed as failure:
            _raise_feed_error(failure, today)
            raise
        found: list[FoundPaper] = []
        rejected: list[Rejected] = []
        if answer.body is not None:
            for record in read_papers(io.BytesIO(answer.body), today=today):
                if isinstance(record, Rejected):
                    rejected.append(record)
                else:
                    found.append(record)
        return FetchedBatch(found, rejected, answer.not_modified, self.url, answer)


def _raise_feed_error(failure: RequestFailed, today: date) -> None:
    """arXiv explains a bad request (HTTP 400) in a feed: raise what it says, if it is one."""
    if failure.status != 400:
        return
    try:
        list(read_papers(io.BytesIO(failure.body), today=today))
    except FeedError as explained:
        raise explained from failure
    except SourceError:
        return


def parse_source(spec: str) -> list[str]:
    """The categories that `spec` names, as in `arxiv:cs.AI+cs.CL`. Raises UnknownSource."""
    name, _, argument = spec.strip().partition(":")
    if name.lower() != "arxiv":
        raise UnknownSource(spec, "the name is not known", KNOWN_SOURCES)
    categories = [category.strip() for category in argument.split("+")]
    wrong = [category for category in categories if not _CATEGORY.fullmatch(category)]
    if wrong:
        raise UnknownSource(spec, f"{wrong[0]!r} is not a category", KNOWN_SOURCES)
    return categories
