"""Undoing that votes were taken back: what was withdrawn holds again, as of when and where it was
cast. A vote cast anew would be one on the site today, to everything that asks where votes are
from and when they were cast."""

from collections.abc import Collection
from itertools import groupby

from sqlmodel import Session, col, select

from paperpost.store.tables import Vote
from paperpost.store.votes import UNDONE, reinstate


def undo(session: Session, subscriber_id: int, paper_numbers: Collection[int]) -> int:
    """Void the withdrawals that are the last thing the subscriber said of these papers, and have
    what they overrode hold again; how many."""
    query = select(Vote).where(
        Vote.subscriber_id == subscriber_id,
        col(Vote.paper_number).in_(paper_numbers),
        col(Vote.voided).is_(None),
    )
    acts = session.exec(query.order_by(col(Vote.paper_number), col(Vote.id)))
    said = [list(own) for _, own in groupby(acts, lambda act: act.paper_number)]
    withdrawals = [own[-1] for own in said if own[-1].value == 0 and len(own) > 1]
    for act in withdrawals:
        act.voided = UNDONE
        session.add(act)
    session.flush()
    for act in withdrawals:
        reinstate(session, subscriber_id, act.paper_number)
    return len(withdrawals)
