"""Papers by the words of their titles, authors and abstracts, from an index that the database keeps
by itself (migration 0005): SQLite's FTS5 (https://sqlite.org/fts5.html), or PostgreSQL's text
search."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnClause,
    ColumnElement,
    Select,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import Session, col

from paperpost.store.tables import Paper
from paperpost.store.words import EVERYWHERE, Phrase, Query, Within

# Of very common words only the newest papers are ranked: all of 75,000 take 150 ms.
RANKED = 5_000
# Papers with any of a search's rarest words are looked at as long as they are no more than this.
LOOSELY = 5_000

_SQLITE_TEXT = "{title authors abstract}"
# A word of a title or a name weighs as three of an abstract (tried on `evaluate search`, flat): the
# weights of bm25 go by column, those of ts_rank are of {D, C, B, A}.
_SQLITE_WEIGHTS = (3.0, 3.0, 1.0, 0.0)
_POSTGRESQL_WEIGHTS = "'{0, 0.33, 1, 1}'"
_BY_LENGTH = 1  # an abstract is not better for being long

_NUMBER = col(Paper.number)
_ROWID: ColumnClause[int] = column("rowid")
_IN_SQLITE = table("paper_words", _ROWID, column("paper_words"))
_OWNER: ColumnClause[int] = column("paper_number")
_WORDS: ColumnClause[Any] = column("words")
_DAY: ColumnClause[date] = column("announced")
_IN_POSTGRESQL = table("paper_words", _OWNER, _DAY, _WORDS)


def count(session: Session, query: Query, within: Within = EVERYWHERE) -> int:
    """How many papers match."""
    if not query.wanted:
        return 0
    if _is_sqlite(session):
        counted = _sqlite(query, within).with_only_columns(func.count())
    else:
        counted = select(func.count()).select_from(_postgresql(query, within)[0])
    return int(session.execute(counted).scalar_one())


def best(session: Session, query: Query, within: Within = EVERYWHERE, *, limit: int) -> list[int]:
    """The numbers of the papers that match best; of more than RANKED the newest are looked at."""
    if not query.wanted:
        return []
    if _is_sqlite(session):
        return _best_in_sqlite(session, query, within, limit)
    matches, asked = _postgresql(query, within)
    newest = _materialized(
        select(matches).order_by(matches.c.number.desc()).limit(RANKED), "newest"
    )
    rank = func.ts_rank(literal_column(_POSTGRESQL_WEIGHTS), _WORDS, asked.c.query, _BY_LENGTH)
    ranked = select(newest.c.number).join(_IN_POSTGRESQL, newest.c.number == _OWNER)
    ordered = ranked.join(asked, literal(True)).order_by(rank.desc(), newest.c.number.desc())
    return _numbers(session, ordered.limit(limit))


def _best_in_sqlite(session: Session, query: Query, within: Within, limit: int) -> list[int]:
    matches = _sqlite(query, within)
    if count(session, query, within.any_day()) > RANKED:
        # FTS5 gives rows by number, either way round, without sorting.
        oldest = matches.order_by(_ROWID.desc()).limit(1).offset(RANKED - 1)
        least = session.execute(oldest).scalar() or 0
        matches = matches.where(least <= _ROWID)
    rank: ColumnElement[float] = func.bm25(literal_column("paper_words"), *_SQLITE_WEIGHTS)
    return _numbers(session, matches.order_by(rank, _ROWID.desc()).limit(limit))


def newest(session: Session, query: Query, within: Within = EVERYWHERE, *, limit: int) -> list[int]:
    """The numbers of the newest papers that match."""
    if not query.wanted:
        return []
    if _is_sqlite(session):
        # Without the sum SQLite would look for each match, and not walk the index of days.
        matching_ever = _sqlite(query, within.any_day())
        found = select(_NUMBER).where((_NUMBER + 0).in_(matching_ever), _is_of_these_days(within))
        ordered = found.order_by(col(Paper.announced).desc(), _NUMBER.desc())
    else:
        matches, _ = _postgresql(query, within)
        days = matches.c.announced
        ordered = select(matches.c.number).order_by(days.desc(), matches.c.number.desc())
    return _numbers(session, ordered.limit(limit))


def matching(session: Session, query: Query, among: Collection[int]) -> set[int]:
    """Those of the numbers whose papers match."""
    if not query.wanted or not among:
        return set()
    if _is_sqlite(session):
        return set(_numbers(session, _sqlite(query).where((_ROWID + 0).in_(among))))
    matches, _ = _postgresql(query)
    return set(_numbers(session, select(matches.c.number).where(matches.c.number.in_(among))))


def in_category(session: Session, within: Within) -> list[int]:
    """The numbers of all papers of a category or archive, whatever their day."""
    if _is_sqlite(session):
        return _numbers(session, _matching_in_sqlite(_category_in_sqlite(within)))
    of_it = _WORDS.op("@@")(_category_in_postgresql(within))
    return _numbers(session, select(_OWNER).select_from(_IN_POSTGRESQL).where(of_it))


def loosely(session: Session, query: Query) -> Query:
    """A search for any of the rarest words of this one; for nothing where even the rarest is
    common."""
    sizes = {one: count(session, Query((one,))) for one in query.wanted}
    rarest, room = list[Phrase](), LOOSELY
    for phrase in sorted(query.wanted, key=lambda one: sizes[one]):
        room -= sizes[phrase]
        if room < 0:
            break
        if sizes[phrase]:
            rarest.append(phrase)
    return Query(tuple(rarest), query.excluded, any_of=True)


def _numbers(session: Session, found: Select[Any]) -> list[int]:
    return [int(number) for number in session.execute(found).scalars()]


def _is_sqlite(session: Session) -> bool:
    return bool(session.get_bind().dialect.name == "sqlite")


def _sqlite(query: Query, within: Within = EVERYWHERE) -> Select[Any]:
    """The numbers of papers that match."""
    wanted = (" OR " if query.any_of else " AND ").join(map(_in_sqlite, query.wanted))
    match = f"{_SQLITE_TEXT} : ({wanted})"
    if within.category_words:
        match = f"({match}) AND {_category_in_sqlite(within)}"
    if query.excluded:
        match = f"({match}) NOT {_SQLITE_TEXT} : ({' OR '.join(map(_in_sqlite, query.excluded))})"
    found = _matching_in_sqlite(match)
    if not within.is_any_day:
        # Without the sum SQLite would search once for every paper of these days.
        found = found.where((_ROWID + 0).in_(select(_NUMBER).where(_is_of_these_days(within))))
    return found


def _is_of_these_days(within: Within) -> ColumnElement[bool]:
    return col(Paper.announced).between(within.since, within.until)


def _matching_in_sqlite(match: str) -> Select[Any]:
    return select(_ROWID).select_from(_IN_SQLITE).where(column("paper_words").op("MATCH")(match))


def _category_in_sqlite(within: Within) -> str:
    return f'categories : "{" ".join(within.category_words)}"'


def _in_sqlite(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"{" *" if phrase.is_prefix else ""}'


def _postgresql(query: Query, within: Within = EVERYWHERE) -> tuple[CTE, CTE]:
    """The numbers of papers that match, and what was asked (`query`)."""
    expression = _joined(" || " if query.any_of else " && ", query.wanted)
    if within.category_words:
        expression = expression.op("&&")(_category_in_postgresql(within))
    if query.excluded:
        expression = expression.op("&&")(func.tsquery_not(_joined(" || ", query.excluded)))
    asked = _materialized(select(expression.label("query")), "asked")
    found: Select[Any, Any] = select(_OWNER.label("number"), _DAY).select_from(_IN_POSTGRESQL)
    found = found.join(asked, _WORDS.op("@@")(asked.c.query))
    if not within.is_any_day:
        found = found.where(_DAY.between(within.since, within.until))
    return _materialized(found, "matches"), asked


def _category_in_postgresql(within: Within) -> ColumnElement[Any]:
    """A category is kept as a word that no text can have, and so is its archive."""
    return cast(f"'category:{'.'.join(within.category_words)}'", TSQUERY)


def _joined(operator: str, phrases: Sequence[Phrase]) -> ColumnElement[Any]:
    first, *others = map(_in_postgresql, phrases)
    for other in others:
        first = first.op(operator)(other)
    return first.self_group()


def _in_postgresql(phrase: Phrase) -> ColumnElement[Any]:
    """Words of a text, or as they are, which is how names are kept."""
    written = " <-> ".join(f"'{word}'" for word in phrase.words) + (
        ":*" if phrase.is_prefix else ""
    )
    parts = [
        func.to_tsquery(literal_column(f"'{kind}'"), written) for kind in ("english", "simple")
    ]
    return parts[0].op("||")(parts[1]).self_group()


def _materialized(found: Select[*tuple[Any, ...]], name: str) -> CTE:
    """A part of a query that PostgreSQL finishes before the rest, and by itself: it knows too
    little of how common words are."""
    return found.cte(name).prefix_with("MATERIALIZED")
