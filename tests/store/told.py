"""Records that tests make up, of a small world in which much is connected."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st

from paperpost.store.records import Record

DAY = date(2026, 4, 7)
ARXIV_IDS = ["2604.00001", "2604.00002", "math/0309136"]
DOIS = [f"doi:10.1234/{letter}" for letter in "abc"]
TITLES = [f"hf:{letter * 20}" for letter in "abc"]
AUTHORS = ["Emmy Noether", "Noether, E.", "Sofia Kovalevskaya", "Alan Turing"]
FEEDS = ["feed:https://one.example/rss", "feed:https://two.example/rss"]
SOURCES = ["arxiv", "biorxiv", "hf-daily-papers", *FEEDS]

_days = st.integers(0, 2).map(lambda days: DAY + timedelta(days=days))


@st.composite
def _record(draw: st.DrawFn) -> Record:
    title = draw(st.sampled_from(TITLES))
    name = draw(st.sampled_from([*ARXIV_IDS, *DOIS, "pmid:1", title]))
    source, announced = draw(st.sampled_from(SOURCES)), draw(_days)
    version = draw(st.sampled_from([None, 1, 2]))
    # What is told again in another way is a correction, and then the last word counts: here each
    # record says one thing only.
    text = f"{name} {source} {version} {announced} {draw(st.integers(0, 1))}"
    return Record(
        name=name,
        title=f"{title} {version}",
        announced=announced,
        source=source,
        abstract=draw(st.sampled_from(["", text])),
        authors=tuple(draw(st.lists(st.sampled_from(AUTHORS), max_size=2, unique=True))),
        categories=tuple(draw(st.lists(st.sampled_from(["cs.AI", "cs.CL"]), unique=True))),
        version=version,
        also=tuple(draw(st.lists(st.sampled_from([*DOIS, "pmid:1"]), max_size=2, unique=True))),
        # A title that does not tell has no key.
        title_keys=draw(st.sampled_from([(title,), (title,), ()])),
        upvotes=draw(st.sampled_from([None, None, 3, 5])),
        revised=draw(st.sampled_from([None, None, announced, DAY + timedelta(days=1)])),
    )


@st.composite
def _replacement(draw: st.DrawFn) -> Record:
    record = replace(draw(_record()), name=draw(st.sampled_from(ARXIV_IDS)), version=3)
    # What ties it to others may be cut later, and then it is a paper by itself.
    return replace(record, also=(), title_keys=(), revised=record.announced, only_if_known=True)


def worlds(most: int = 9) -> st.SearchStrategy[list[Record]]:
    """Some records, each of which its source tells in one way."""
    one = st.one_of(_record(), _record(), _record(), _replacement())
    return st.lists(one, min_size=1, max_size=most, unique_by=lambda record: record.key)
