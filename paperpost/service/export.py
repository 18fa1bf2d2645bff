"""Everything that is stored about a subscriber, as one document: for them, and for the operator."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from paperpost.service.bibtex import bibtex
from paperpost.service.installation import Installation
from paperpost.service.wishes import percent
from paperpost.store import (
    bounces,
    digests,
    library,
    named_interests,
    outbox,
    papers,
    presses,
    subscribers,
    vote_lists,
    vote_posts,
    votes,
)
from paperpost.store.named_interests import Named
from paperpost.store.subscribers import id_of
from paperpost.store.tables import (
    Bounce,
    Delivery,
    Digest,
    InterestKind,
    Paper,
    Press,
    Subscriber,
    Vote,
    VotePost,
)

# More papers than anybody ever voted on, in a file that can still be read.
MOST_LIKED = 20_000


def everything(installation: Installation, session: Session, person: Subscriber) -> dict[str, Any]:
    """All that is stored about a subscriber, ready for JSON."""
    number, now = id_of(person), installation.clock()
    acts, posts = votes.acts(session, number), vote_posts.of_subscriber(session, number)
    mailed = digests.of_subscriber(session, number)
    shown = {item["paper"] for digest, _ in mailed for item in digest.items}
    voted = {act.paper_number for act in acts} | {post.paper_number for post in posts}
    named = papers.by_number(session, shown | voted)
    names = {key: library.public_name(paper) for key, paper in named.items()}
    counted = votes.counted(session, now, [number]).get(number, {})
    held = [act for act in acts if act.counts_at > now and act.voided is None]
    return {
        **_person(person),
        "interests": _interests(
            subscribers.interests(session, [number])[number],
            named_interests.of_subscribers(session, [number]).get(number, []),
        ),
        "votes": [_vote(act, names) for act in counted.values()],
        "held_votes": [_vote(act, names) for act in held],
        "vote_history": [_act(act, names) for act in acts],
        "library": [_work(paper) for paper in library.of_subscriber(session, number)],
        "vote_posts": [_post(post, names) for post in posts],
        "unsubscribe_press": _press(presses.of_subscriber(session, number)),
        "digests": [_digest(digest, delivery, names) for digest, delivery in mailed],
        "reasons": {
            digest.local_date.isoformat(): [item["reasons"] for item in digest.items]
            for digest, _ in mailed
        },
        "probabilities": {
            digest.local_date.isoformat(): [item.get("probability") for item in digest.items]
            for digest, _ in mailed
        },
        "mails": [_mail(delivery) for delivery in outbox.of_subscriber(session, number)],
        "bounces": [_bounce(bounce) for bounce in bounces.of_subscriber(session, number)],
    }


def liked(installation: Installation, session: Session, person: Subscriber) -> str:
    """The papers that a subscriber likes, the newest vote first, as BibTeX."""
    number, now = id_of(person), installation.clock()
    found = vote_lists.page(session, number, now, 1, limit=MOST_LIKED)
    return bibtex([paper for _, paper in found])


def _person(person: Subscriber) -> dict[str, Any]:
    times = {
        "joined_at": person.joined_at,
        "confirmed_at": person.confirmed_at,
        "left_at": person.left_at,
        "paused_until": person.paused_until,
        "next_due_at": person.next_due_at,
        "suppressed_at": person.suppressed_at,
        "links_from": person.links_from,
    }
    return {
        "email": person.email,
        "state": person.state,
        "timezone": person.timezone,
        "hour": person.hour,
        "size": person.size,
        "frequency": person.frequency,
        "threshold": percent(person.threshold),
        "explore": person.explore,
        "quiet_note": person.quiet_note,
        "revisions": person.revisions,
        "suppressed_because": person.suppressed_because,
        **{name: value and value.isoformat() for name, value in times.items()},
    }


def _interests(own: Mapping[InterestKind, list[str]], named: Sequence[Named]) -> dict[str, Any]:
    return {
        "keywords": own.get(InterestKind.KEYWORD, []),
        "authors": own.get(InterestKind.AUTHOR, []),
        "categories": own.get(InterestKind.CATEGORY, []),
        "muted": own.get(InterestKind.MUTED, []),
        "forgotten": own.get(InterestKind.FORGOTTEN, []),
        "named": [_named(one) for one in named],
    }


def _named(one: Named) -> dict[str, Any]:
    return {
        "name": one.name,
        "share": one.share,
        "keywords": list(one.terms.get(InterestKind.KEYWORD, ())),
        "authors": list(one.terms.get(InterestKind.AUTHOR, ())),
        "categories": list(one.terms.get(InterestKind.CATEGORY, ())),
    }


def _vote(act: Vote, names: Mapping[int, str]) -> dict[str, Any]:
    return {"paper": names[act.paper_number], "value": act.value}


def _act(act: Vote, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        **_vote(act, names),
        "origin": act.origin,
        "at": act.cast_at.isoformat(),
        "counts_at": act.counts_at.isoformat(),
        "voided": act.voided,
    }


def _work(paper: Paper) -> dict[str, Any]:
    """A work that nobody but the subscriber's own library told of."""
    return {
        "paper": library.public_name(paper),
        "title": paper.title,
        "authors": paper.authors,
        "abstract": paper.abstract,
    }


def _post(post: VotePost, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "paper": names[post.paper_number],
        "link": post.link_value,
        "value": post.value,
        "at": post.posted_at.isoformat(),
    }


def _press(press: Press | None) -> dict[str, Any] | None:
    if press is None:
        return None
    undone_at = press.undone_at and press.undone_at.isoformat()
    return {"at": press.pressed_at.isoformat(), "undone_at": undone_at}


def _digest(digest: Digest, delivery: Delivery, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "date": digest.local_date.isoformat(),
        "state": delivery.state,
        "papers": [names[item["paper"]] for item in digest.items],
    }


def _mail(delivery: Delivery) -> dict[str, Any]:
    return {
        "kind": delivery.kind,
        "date": delivery.local_date.isoformat(),
        "state": delivery.state,
        "reply": delivery.reply,
        "sent_at": delivery.sent_at and delivery.sent_at.isoformat(),
    }


def _bounce(bounce: Bounce) -> dict[str, Any]:
    return {
        "kind": bounce.kind,
        "status": bounce.status,
        "detail": bounce.detail,
        "at": bounce.received_at.isoformat(),
    }
