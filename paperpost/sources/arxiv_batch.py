"""What a feed of arXiv says of its days: whose batch it is, and whether it is whole.

A feed says when it was made, not whose batch it has: now and then it still has the last one, or one
of its categories has, under today's date. So a batch is told by its papers' dates and by their ids.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from paperpost.sources import arxiv_days
from paperpost.sources.arxiv_categories import is_primary
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.source import DayReport, DayState, Wanted, in_words

# A feed holds no more, whatever there is.
FEED_LIMIT = 2_000


def closed(day: date) -> str | None:
    """Why arXiv announces nothing on a day, as far as that is known ahead."""
    if arxiv_days.is_weekend(day):
        return "arXiv announces no papers on Saturdays and Sundays"
    if holiday := arxiv_days.emptied_by(day):
        return f"arXiv announces no papers after the holiday of {in_words(holiday)}"
    return None


def is_full(records: Sequence[FoundPaper | Rejected]) -> bool:
    """Whether a feed holds as much as it can, so that papers may be missing."""
    return len(records) >= FEED_LIMIT


def reports(
    records: Sequence[FoundPaper | Rejected], categories: Sequence[str], wanted: Wanted
) -> Iterator[DayReport]:
    """How the days stand of which a feed has papers, and today in any case."""
    papers = [record for record in records if isinstance(record, FoundPaper)]
    new_ones = _first_announcements(papers, categories)
    stale = [name for name, new in new_ones.items() if _are_old(new, wanted)]
    is_stale = len(stale) == len(new_ones) if new_ones else _are_old(papers, wanted)
    if not records:
        yield _without_papers(wanted, "the feed is empty")
    elif not papers:
        yield _unreadable(records, wanted)
    elif is_stale:
        yield from _stale(records, papers, wanted)
    else:
        yield _of_today(records, {name: len(new_ones[name]) for name in stale}, wanted)


def unchanged(wanted: Wanted) -> DayReport:
    """How today stands if a feed says that it is still what it was when it was last read, and
    today's batch was not."""
    since = f"since {_batch_of(wanted.before)}" if wanted.before else "since it was last asked"
    return _without_papers(wanted, f"the feed has not changed {since}")


def _first_announcements(
    papers: Sequence[FoundPaper], categories: Sequence[str]
) -> dict[str, list[FoundPaper]]:
    """What each category has of its own that was never announced before, if it has anything."""
    new = [one for one in papers if one.kind == "new"]
    by_category = {name: [one for one in new if is_primary(one, (name,))] for name in categories}
    return {name: found for name, found in by_category.items() if found}


def _are_old(papers: Sequence[FoundPaper], wanted: Wanted) -> bool:
    """Whether most papers are of an earlier day."""
    return sum(_is_old(one, wanted) for one in papers) * 2 > len(papers)


def _is_old(paper: FoundPaper, wanted: Wanted) -> bool:
    """Whether it is dated so, or was news in an earlier batch already: it is that only once."""
    before = wanted.before
    was_news = before is not None and before.day < wanted.today and paper.id in (before.ids or ())
    return paper.announced < wanted.today or (was_news and paper.kind == "new")


def _stale(
    records: Sequence[FoundPaper | Rejected], papers: Sequence[FoundPaper], wanted: Wanted
) -> Iterator[DayReport]:
    """Today has nothing yet; the day whose batch it is may have been missed."""
    day = Counter(one.announced for one in papers).most_common(1)[0][0]
    before = wanted.before
    if day == wanted.today and before is not None:
        day = before.day  # the papers are known from then, whatever date they have now
    if (day in wanted.days or before is None) and not any(_flaws(records, wanted)):
        yield _complete(day, papers)
    number = _papers(len(_news(papers)))
    yield _without_papers(wanted, f"the feed still carries {number} of {in_words(day)}")


def _unreadable(records: Sequence[FoundPaper | Rejected], wanted: Wanted) -> DayReport:
    reason = next(one.reason for one in records if isinstance(one, Rejected))
    evidence = f"none of the feed's {len(records):,} records could be read: {reason}"
    return DayReport(wanted.today, DayState.BROKEN, evidence)


def _of_today(
    records: Sequence[FoundPaper | Rejected], stale: dict[str, int], wanted: Wanted
) -> DayReport:
    papers = [record for record in records if isinstance(record, FoundPaper)]
    fresh = [one for one in papers if not _is_old(one, wanted)]
    if flaws := [*_flaws(records, wanted), *_still_carry(stale, wanted)]:
        return DayReport(wanted.today, DayState.PARTIAL, "; ".join(flaws), len(_news(fresh)))
    return _complete(wanted.today, papers)


def _flaws(records: Sequence[FoundPaper | Rejected], wanted: Wanted) -> Iterator[str]:
    """What keeps a batch from being all of its day's."""
    rejected = [record for record in records if isinstance(record, Rejected)]
    damage = next((one for one in rejected if one.damage), None)
    days = [one.announced for one in records if isinstance(one, FoundPaper)]
    if damage:
        yield f"the feed broke off after {_papers(len(days))}: {damage.reason}"
    elif rejected:
        yield f"{len(rejected):,} of the feed's {len(records):,} records could not be read"
    if is_full(records):
        yield f"the feed has {_papers(len(days))}, which is as many as it can hold"
    if (latest := max(days)) > wanted.today:
        ahead = sum(day > wanted.today for day in days)
        yield f"the feed has {_papers(ahead)} of days to come, up to {in_words(latest)}"


def _still_carry(stale: dict[str, int], wanted: Wanted) -> Iterator[str]:
    before = wanted.before
    last = in_words(before.day) if before and before.day < wanted.today else "an earlier day"
    for category, number in stale.items():
        yield f"{category} still carries the {_papers(number)} of {last}"


def _complete(day: date, papers: Sequence[FoundPaper]) -> DayReport:
    kinds = Counter(one.kind for one in papers)
    replaced = kinds["replace"] + kinds["replace-cross"]
    evidence = (
        f"the feed has {_papers(kinds['new'], 'new ')}, {kinds['cross']:,} cross-listed and"
        f" {replaced:,} replaced"
    )
    ids = tuple(one.id for one in _news(papers) if one.id)
    return DayReport(day, DayState.COMPLETE, evidence, len(_news(papers)), ids)


def _without_papers(wanted: Wanted, evidence: str) -> DayReport:
    """Today, of which there is nothing: that is as it should be on some days."""
    if reason := closed(wanted.today):
        return DayReport(wanted.today, DayState.HOLIDAY, reason)
    if holiday := arxiv_days.perhaps_emptied_by(wanted.today):
        evidence += f", probably because {in_words(holiday)} was a holiday"
    return DayReport(wanted.today, DayState.STALE, evidence)


def _news(papers: Sequence[FoundPaper]) -> list[FoundPaper]:
    return [one for one in papers if one.kind in ("new", "cross")]


def _batch_of(report: DayReport) -> str:
    return f"it had the {_papers(report.papers)} of {in_words(report.day)}"


def _papers(number: int, what: str = "") -> str:
    return f"{number:,} {what}{'paper' if number == 1 else 'papers'}"
