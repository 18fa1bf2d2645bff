"""Why a paper is in a list, and how that is said in a mail."""

from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal[
    "author",
    "keyword",
    "liked",
    "terms",
    "category",
    "popular",
    "unlike",
    "new",
    "explored",
    "interest",
]
Degree = Literal["found", "close", "nearest"]
SharedWith = Literal["likes", "keywords"]

MOST_REASONS = 3
MOST_TERMS = 3
# The mean of the cosines in words and in factors from which a paper is called close to another,
# and to a keyword, which has few words to share; judged by eye on pairs of arXiv papers.
CLOSE_TO_PAPER = 0.25
CLOSE_TO_KEYWORD = 0.2
_LONGEST_TITLE = 80


# A tuple, as millions are made a day, and a frozen dataclass takes three times as long.
class Reason(NamedTuple):
    """One fact: `names` are terms, a keyword, an author, a category, a title, for a popular paper
    what was counted, in words, for an explored one its rank, or the name of an interest.

    `degree` tells a keyword that stands in the paper from one it is close to, and what is really
    close from what is merely nearest; `shared_with` tells terms of liked papers from terms of
    keywords; `paper_id` is the liked paper's; `strength` is the cosine or the sum of products
    behind the fact.
    """

    kind: Kind
    names: tuple[str, ...] = ()
    degree: Degree = "found"
    shared_with: SharedWith = "likes"
    paper_id: str | None = None
    strength: float = 0.0


def sentence(reason: Reason) -> str:
    """The reason in words for a mail; papers are named by title, never by id."""
    names = [_on_one_line(name) for name in reason.names]
    match reason.kind:
        case "author":
            return f"by {names[0]}, whom you follow"
        case "keyword":
            return _keyword_sentence(names[0], reason.degree)
        case "liked":
            return _liked_sentence(_shortened(names[0]), reason.degree)
        case "terms":
            with_what = "what you like" if reason.shared_with == "likes" else "your keywords"
            quoted = ", ".join(f"“{name}”" for name in names)
            return f"shares {quoted} with {with_what}"
        case "category":
            return f"in {names[0]}, which you follow"
        case "popular":
            return " and ".join(names) or "popular with other readers"
        case "unlike":
            return "unlike what you voted down"
        case "new":
            return "new, and not matched to any interest of yours"
        case "interest":
            return f"for your interest “{names[0]}”"
        case "explored":
            return f"number {names[0]} in your ranking, here to learn from your vote"


# A day's readers have the same titles and keywords.
@lru_cache(maxsize=2**16)
def _on_one_line(name: str) -> str:
    return " ".join(name.split())


def _keyword_sentence(keyword: str, degree: Degree) -> str:
    match degree:
        case "found":
            return f"matches “{keyword}”"
        case "close":
            return f"close to your keyword “{keyword}”"
        case "nearest":
            return f"of your interests, nearest to “{keyword}”"


def _liked_sentence(title: str, degree: Degree) -> str:
    if degree == "nearest":
        return f"of what you liked, nearest to “{title}”"
    return f"close to “{title}”, which you liked"


def _shortened(title: str) -> str:
    if len(title) <= _LONGEST_TITLE:
        return title
    return title[:_LONGEST_TITLE].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"
