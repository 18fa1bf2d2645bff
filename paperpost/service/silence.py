"""Why a digest has no papers, or not all: sentences from facts, the same ones in the mail, on the
page of preferences and in `status`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperpost.service.discretion import discreet
from paperpost.service.installation import Installation
from paperpost.service.standing import Standing, standings
from paperpost.sources.source import DayReport, DayState
from paperpost.store import papers

DAY = timedelta(days=1)
NOTHING_NEW = "No new papers came in since the last digest."
NOT_SHOWN = "The papers that were chosen cannot be shown."


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the sources explain of the digests of one date.

    `no_papers`: why there is nothing to rank, where that is so; `missing`: whose papers should be
    there and are not; `owed_from`: the oldest day of which papers may still come in, which are
    candidates then although their day has passed.
    """

    no_papers: str = NOTHING_NEW
    missing: str = ""
    owed_from: date | None = None


def outlook(installation: Installation, on: date) -> Outlook:
    """What the sources explain of the digests dated `on`; to be asked before they are ranked, so
    that what comes in meanwhile is not forgotten."""
    now = installation.clock()
    if abs(on - now.date()) > DAY:
        return Outlook()  # what the sources say now tells nothing of a date that is long past
    with installation.database.reading() as session:
        newest = papers.newest_day(session, on)
        asked = standings(session, installation.settings, now)
    troubles = [(one, one.trouble(min(on, one.source.today(now)))) for one in asked]
    return Outlook(
        explained(on, newest, asked, now),
        " ".join(_trouble(one, report) for one, report in troubles if report is not None),
        min((day for one in asked if (day := one.oldest_unsettled(on))), default=None),
    )


def of_day(installation: Installation, day: date) -> str:
    """What the sources say of a day, if it is one of the last: why it has no papers, or not all;
    empty if nothing is to be said."""
    now = installation.clock()
    with installation.database.reading() as session:
        newest = papers.newest_day(session, day)
        asked = standings(session, installation.settings, now)
    known = [(one, one.days.get(day)) for one in asked]
    told_of = [_of_report(one, report, newest) for one, report in known if report is not None]
    return " ".join(dict.fromkeys(filter(None, told_of)))


def since(installation: Installation, newest: date | None) -> str:
    """Why there are no papers newer than those of a day, or none at all; empty if it is today's."""
    today = installation.clock().date()
    if newest is not None and newest >= today:
        return of_day(installation, newest)
    told_of = outlook(installation, today).no_papers
    return "" if told_of == NOTHING_NEW else told_of


def explained(on: date, newest: date | None, asked: Sequence[Standing], now: datetime) -> str:
    """One sentence, or several where several things are so.

    `newest` is the announcement day of the newest paper up to `on`. Whatever a source says of its
    day is told; where all papers came in, it is somebody who has had what there is.
    """
    told_of = [sentence for one in asked for sentence in _of_source(one, on, newest, now)]
    return " ".join(dict.fromkeys(told_of)) or NOTHING_NEW


def _of_source(one: Standing, on: date, newest: date | None, now: datetime) -> Iterator[str]:
    day = min(on, one.source.today(now))
    if one.asked_at is None:
        if newest is None or newest < day:  # else they came in by another way
            yield f"{one.name} has not been asked for papers yet."
    elif one.succeeded_at is None and not one.days and not one.failed:
        yield f"{one.name} was asked on {at(one.asked_at)}, and has not answered yet."
    elif (report := one.trouble(day) or one.report(day)) is None:
        yield f"{one.name} was last asked on {at(one.asked_at)}, before new papers were due."
    elif sentence := _of_report(one, report, newest):
        yield sentence


def _of_report(one: Standing, report: DayReport, newest: date | None) -> str:
    """What is to be told of a day; nothing if all is there, or papers are in spite of a holiday."""
    if report.state == DayState.COMPLETE:
        return ""
    if report.state == DayState.HOLIDAY:
        return "" if newest == report.day else f"{_capitalised(report.evidence)}."
    return _trouble(one, report)


def _capitalised(evidence: str) -> str:
    """As a sentence begins, but for names like arXiv."""
    first = evidence.partition(" ")[0]
    return evidence[:1].upper() + evidence[1:] if first.islower() else evidence


def _trouble(one: Standing, report: DayReport) -> str:
    """What keeps a day's papers away."""
    if report.state == DayState.REFUSED:
        return _not_read(one, "refused to answer", report.evidence)
    if report.state == DayState.BROKEN:
        return _not_read(one, "could not be read", report.evidence)
    return f"{one.name}: {discreet(report.evidence).rstrip('.')}."


def could_not_be_read(one: Standing) -> str:
    """That the last request to a source failed, how, and when one did not."""
    return _not_read(one, "could not be read", one.detail)


def _not_read(one: Standing, what: str, why: str) -> str:
    reason = discreet(why).rstrip(".") or "no reason was given"
    last = f" It last was read on {at(one.succeeded_at)}." if one.succeeded_at else ""
    return f"{one.name} {what}: {reason}.{last}"


def nothing_passed(considered: int, threshold: int | None) -> str:
    """Why of so many candidates none is mailed; `threshold`, in per cent, if that is what kept
    them out."""
    papers_met = f"None of {considered:,} new papers"
    if threshold is None:
        return f"{papers_met} passed the muted terms."
    return f"{papers_met} reached your threshold of {threshold} %."


def at(moment: datetime) -> str:
    """A moment as it stands in a sentence, always in UTC: 3 April 2026, 09:00 UTC."""
    return f"{moment.day} {moment:%B} {moment.year}, {moment:%H:%M} UTC"
