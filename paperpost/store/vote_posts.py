"""What was posted behind vote links, whether it changed anything or not."""

from datetime import datetime

from sqlmodel import Session, col, delete, select

from paperpost.store.tables import VotePost

# Nobody has more to say of one digest within minutes; a program that does is told by fewer.
MOST_RECENT = 200


def add(session: Session, post: VotePost) -> None:
    """Keep one more."""
    session.add(post)
    session.flush()


def recent(session: Session, subscriber_id: int, since: datetime) -> list[VotePost]:
    """The newest posts behind a subscriber's vote links, oldest first."""
    newest = session.exec(
        select(VotePost)
        .where(VotePost.subscriber_id == subscriber_id, VotePost.posted_at >= since)
        .order_by(col(VotePost.posted_at).desc(), col(VotePost.id).desc())
        .limit(MOST_RECENT)
    )
    return list(newest)[::-1]


def of_subscriber(session: Session, subscriber_id: int) -> list[VotePost]:
    """Everything that was posted behind a subscriber's vote links, oldest first."""
    return list(
        session.exec(
            select(VotePost)
            .where(VotePost.subscriber_id == subscriber_id)
            .order_by(col(VotePost.id))
        )
    )


def remove_before(session: Session, moment: datetime) -> None:
    """Forget the posts of all that are older."""
    session.exec(delete(VotePost).where(col(VotePost.posted_at) < moment))
