"""arXiv's archives and categories, and which announcements of theirs a reader wants.

https://arxiv.org/category_taxonomy. `cs` is an archive, `cs.AI` one of its categories, and `hep-ph`
an archive that is its own only category. Case does not matter.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date

from paperpost.sources.found import FoundPaper

# What may be taken of a day: first announcements, papers of other categories that are listed here
# as well, and new versions of papers that are not known yet.
TAKEN = ("new", "cross", "replace")

# The archives that OAI-PMH has in the group "physics"; each of the others is a group of its own.
_PHYSICS = {
    *("astro-ph", "cond-mat", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math-ph"),
    *("nlin", "nucl-ex", "nucl-th", "physics", "quant-ph"),
}
# Two names of one category each: a paper may have either or both.
_ALIASES = (
    {"cs.IT", "math.IT"},
    {"cs.NA", "math.NA"},
    {"cs.SY", "eess.SY"},
    {"econ.GN", "q-fin.EC"},
    {"math-ph", "math.MP"},
    {"math.ST", "stat.TH"},
)
_NAMES = {
    name.lower(): frozenset(other.lower() for other in pair) for pair in _ALIASES for name in pair
}
_FIRST_YEAR = 91  # arXiv began in 1991: an older number of two digits means 20..


def is_within(category: str, wanted: str) -> bool:
    """Whether a paper's category is the wanted one, by either of its names, or in that archive."""
    name, wanted = category.lower(), wanted.lower()
    names = _NAMES.get(name, frozenset((name,)))
    return any(one == wanted or one.startswith(f"{wanted}.") for one in names)


def is_primary(paper: FoundPaper, wanted: Iterable[str]) -> bool:
    """Whether the paper is at home in one of the wanted categories, and not only listed there."""
    return any(is_within(category, one) for category in paper.categories[:1] for one in wanted)


def set_of(category: str) -> str:
    """The OAI-PMH set of a category or archive: `cs:cs:AI`, `physics:astro-ph:GA`,
    `physics:hep-ph`, `cs:cs`."""
    archive, _, subject = category.lower().partition(".")
    group = "physics" if archive in _PHYSICS else archive
    subject = subject.upper() if len(subject) == 2 else subject  # cs.AI, but cond-mat.soft
    return ":".join(filter(None, (group, archive, subject)))


def taken(paper: FoundPaper, take: Collection[str], day: date) -> FoundPaper | None:
    """A paper as it counts among what is to be taken of `day`; None if it does not.

    A replacement always changes what is known. If replacements are taken as well it is a paper of
    its own, revised on that day and as old as its id, so that it is no news.
    """
    kind, _, cross = paper.kind.partition("-")
    if kind != "replace":
        return paper if kind in take else None
    if "replace" not in take or (cross and "cross" not in take):
        return replace(paper, revised=day)
    return replace(paper, kind="new", announced=min(_month_of(paper), day), revised=day)


def _month_of(paper: FoundPaper) -> date:
    """The first day of the month in a paper's id, 2604.00001 or math/0309136."""
    number = (paper.id or "").rpartition("/")[2]
    try:
        year, month = int(number[:2]), int(number[2:4])
        return date(1900 + year if year >= _FIRST_YEAR else 2000 + year, month, 1)
    except ValueError:  # arXiv has no such month
        return paper.announced
