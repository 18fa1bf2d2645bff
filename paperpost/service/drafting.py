"""What a digest is frozen as: its papers with their reasons, their rendered text, or why there are
none."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mailer.compose import TEMPLATE_VERSION, render_paper
from mailer.digest import PaperText
from paperpost.service import silence
from paperpost.service.choices import Choice, Ranking
from paperpost.service.installation import Installation
from paperpost.service.letters import message_id, web_address
from paperpost.service.silence import Outlook
from paperpost.service.wishes import percent
from paperpost.store.digests import NewDigest
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Fragment, InterestKind, Paper, Subscriber

# Of about four kilobytes each.
MOST_RENDERED = 5_000


@dataclass(frozen=True, slots=True)
class Turn:
    """One subscriber's digest that is to be composed now; `next_due_at` as in NewDigest."""

    person: Subscriber
    local_date: date
    due_at: datetime
    expires_at: datetime
    next_due_at: datetime | None


def new_digest(
    installation: Installation,
    turn: Turn,
    ranking: Ranking,
    items: list[dict[str, Any]],
    outlook: Outlook,
) -> NewDigest:
    """What is stored of one subscriber's turn."""
    number = id_of(turn.person)
    return NewDigest(
        subscriber_id=number,
        seen=turn.person,
        local_date=turn.local_date,
        due_at=turn.due_at,
        expires_at=turn.expires_at,
        message_id=message_id(installation, number, turn.local_date, "digest"),
        template_version=TEMPLATE_VERSION,
        frequency=turn.person.frequency,
        why=why(ranking),
        considered=ranking.considered,
        newest_paper=ranking.newest_paper,
        items=items,
        next_due_at=turn.next_due_at,
        silence="" if items else _silence(ranking, turn.person, outlook.no_papers),
        missing=outlook.missing if items else "",
        owed_from=outlook.owed_from,
        quiet_note=turn.person.quiet_note,
    )


def _silence(ranking: Ranking, person: Subscriber, no_papers: str) -> str:
    if not ranking.considered:
        return no_papers
    if ranking.choices:
        return silence.NOT_SHOWN
    threshold = percent(person.threshold) if ranking.below else None
    return silence.nothing_passed(ranking.considered, threshold)


@dataclass(frozen=True, slots=True)
class Draft:
    """A digest as it would be frozen, and the texts that its items name by number."""

    digest: NewDigest
    fragments: Mapping[int, Fragment]


def drafted(installation: Installation, turn: Turn, ranking: Ranking) -> Draft:
    """One digest before it is stored; its items name papers in place of fragments."""
    rendered = rendered_papers(installation, [ranking])
    items = items_of(ranking, {paper: paper for paper in rendered})
    outlook = silence.outlook(installation, turn.local_date)
    return Draft(new_digest(installation, turn, ranking, items, outlook), rendered)


def items_of(ranking: Ranking, fragments: Mapping[int, int]) -> list[dict[str, Any]]:
    """The chosen papers as a digest keeps them; `fragments` are the numbers of their fragments, of
    those papers that can be shown."""
    from recommender.blend import BLEND

    return [
        _item(choice, fragments[choice.number], BLEND)
        for choice in ranking.choices
        if choice.number in fragments
    ]


def _item(choice: Choice, fragment: int, blend: int) -> dict[str, Any]:
    return {
        "paper": choice.number,
        "fragment": fragment,
        "score": round(float(choice.score), 4),
        "blend": blend,
        "reasons": list(choice.reasons),
        "probability": choice.probability,
        "trending": choice.trending,
        "explored": choice.explored,
        "revised": _revision(choice),
        "also": [number_of(paper) for paper in choice.also],
        "interest": choice.interest,
    }


def _revision(choice: Choice) -> dict[str, Any] | None:
    """Of which day and number the version is that is new."""
    if not choice.revised or choice.paper.revised is None:
        return None
    return {"on": choice.paper.revised.isoformat(), "version": choice.paper.version}


def rendered_papers(installation: Installation, rankings: Iterable[Ranking]) -> dict[int, Fragment]:
    """The rendered text of each paper that somebody gets, by the paper's number. One that cannot
    be rendered is left out and told: it must not cost anybody the rest."""
    chosen = {choice.number: choice.paper for ranking in rankings for choice in ranking.choices}
    rendered = {}
    for number, paper in chosen.items():
        try:
            rendered[number] = _kept_fragment(installation, paper)
        except Exception as error:
            installation.say(f"paper {paper.id} cannot be shown and is left out: {error}")
    return rendered


def _kept_fragment(installation: Installation, paper: Paper) -> Fragment:
    """A paper's fragment, rendered once for all blocks of a day."""
    kept = installation.slot.rendered
    key = number_of(paper), paper.changed_at
    if key not in kept:
        if len(kept) > MOST_RENDERED:
            kept.clear()
        kept[key] = _fragment(installation, paper)
    return kept[key]


def _fragment(installation: Installation, paper: Paper) -> Fragment:
    rendered = render_paper(
        PaperText(
            id=paper.id,
            title=paper.title,
            abstract=paper.abstract,
            authors=tuple(paper.authors),
            categories=tuple(paper.categories),
            announced=paper.announced,
            url=web_address(installation.settings, paper),
        )
    )
    content = "\0".join((TEMPLATE_VERSION, paper.title, rendered.url, rendered.html, rendered.text))
    return Fragment(
        paper_number=number_of(paper),
        checksum=hashlib.sha256(content.encode()).hexdigest()[:32],
        title=paper.title,
        url=rendered.url,
        html=rendered.html,
        text=rendered.text,
    )


def why(ranking: Ranking) -> str:
    """What the ranking knew of the subscriber, for the line "you get this because"."""
    parts = list(ranking.interests.get(InterestKind.KEYWORD, ()))
    parts += [f"papers by {name}" for name in ranking.interests.get(InterestKind.AUTHOR, ())]
    parts += list(ranking.interests.get(InterestKind.CATEGORY, ()))
    shown, more = parts[:5], len(parts) - 5
    if more > 0:
        shown.append(f"{more} more")
    if ranking.votes:
        shown.append(f"{ranking.votes} vote{'s' if ranking.votes > 1 else ''}")
    return ", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else "".join(shown)
