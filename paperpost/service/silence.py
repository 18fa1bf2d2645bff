"""Why a digest has no papers: sentences from facts, the same ones in the note, on the page of
preferences and in `status`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from paperpost.service.discretion import discreet
from paperpost.service.installation import Installation
from paperpost.sources import arxiv_days
from paperpost.store import papers, requests
from paperpost.store.tables import SourceRun

NOTHING_NEW = "No new papers came in since the last digest."
NOT_SHOWN = "The papers that were chosen cannot be shown."


@dataclass(frozen=True, slots=True)
class Asked:
    """How the last request to a source ended: `asked_at` is None if there was none, and
    `succeeded_at` if none ever brought an answer that could be read."""

    source: str
    asked_at: datetime | None = None
    succeeded_at: datetime | None = None
    failed: bool = False
    detail: str = ""


def no_papers(installation: Installation, on: date) -> str:
    """Why there are no candidates for a digest dated `on`, for anybody."""
    now = installation.clock()
    with installation.database.reading() as session:
        newest = papers.newest_day(session, on)
        asked = last_requests(installation.settings.sources, requests.runs(session))
    # What the sources say now tells nothing of a date that is long past, or to come.
    is_about_now = abs(on - now.date()) <= arxiv_days.DAY
    return explained(on, newest, asked, now) if is_about_now else NOTHING_NEW


def last_requests(sources: Sequence[str], runs: Sequence[SourceRun]) -> list[Asked]:
    """The last request to each of the configured sources, in their order."""
    kept = {run.source: run for run in runs}
    return [
        Asked(
            source,
            kept[source].asked_at,
            kept[source].succeeded_at,
            kept[source].state != "ok",
            kept[source].detail,
        )
        if source in kept
        else Asked(source)
        for source in sources
    ]


def explained(on: date, newest: date | None, asked: Sequence[Asked], now: datetime) -> str:
    """One sentence, or several where several things are so.

    `newest` is the announcement day of the newest paper up to `on`. A source is named if its
    papers are missing; else it is the calendar, or somebody who has had what there is.
    """
    if not asked:
        return NOTHING_NEW
    day = min(on, arxiv_days.feed_day(now))
    if newest is None or arxiv_days.missing(newest, day):
        return " ".join(_of_source(one, newest, day) for one in asked)
    if newest >= day or not any(one.source.startswith("arxiv:") for one in asked):
        return NOTHING_NEW  # whatever arXiv's calendar says of it
    if arxiv_days.is_weekend(day):
        return "arXiv announces no papers on Saturdays and Sundays."
    if holiday := arxiv_days.emptied_by(day):
        return f"arXiv announced no papers on {told(day)}, because {told(holiday)} was a holiday."
    return NOTHING_NEW


def _of_source(one: Asked, newest: date | None, day: date) -> str:
    if one.asked_at is None:
        return f"{one.source} has not been asked for papers yet."
    if one.failed:
        return could_not_be_read(one)
    if arxiv_days.feed_day(one.asked_at) < day:
        return f"{one.source} was last asked on {at(one.asked_at)}, before new papers were due."
    if newest is None:
        return f"{one.source} answered, but had no papers."
    cause = "its feed is late"
    if not arxiv_days.knows_holidays(day):
        cause = f"there was a holiday, or {cause}"
    return f"{one.source} answered, but had nothing newer than {told(newest)}: {cause}."


def could_not_be_read(one: Asked) -> str:
    """That the last request to a source failed, how, and when one did not."""
    reason = discreet(one.detail).rstrip(".") or "no reason was given"
    last = f" It last was on {at(one.succeeded_at)}." if one.succeeded_at else ""
    return f"{one.source} could not be read: {reason}.{last}"


def nothing_passed(considered: int, threshold: int | None) -> str:
    """Why of so many candidates none is mailed; `threshold`, in per cent, if that is what kept
    them out."""
    papers_met = f"None of {considered:,} new papers"
    if threshold is None:
        return f"{papers_met} passed the muted terms."
    return f"{papers_met} reached your threshold of {threshold} %."


def told(day: date) -> str:
    """A date as it stands in a sentence: Friday 3 April 2026."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def at(moment: datetime) -> str:
    """A moment as it stands in a sentence, always in UTC: 3 April 2026, 09:00 UTC."""
    return f"{moment.day} {moment:%B} {moment.year}, {moment:%H:%M} UTC"
