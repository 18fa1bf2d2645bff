"""What was posted behind vote links, whether it changed anything or not."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from paperpost.store.tables import VotePost

# Nobody has more to say of one digest within minutes; a program that does is told by fewer.
MOST_RECENT = 200


def add(session: Session, post: VotePost) -> None:
    """Keep one more."""
    session.add(post)
    session.flush()


def recent(
    session: Session, subscriber_id: int, issued_at: datetime, since: datetime
) -> list[VotePost]:
    """The newest posts behind the links of one digest, oldest first."""
    newest = session.exec(
        select(VotePost)
        .where(
            VotePost.subscriber_id == subscriber_id,
            VotePost.issued_at == issued_at,
            VotePost.posted_at >= since,
        )
        .order_by(col(VotePost.posted_at).desc(), col(VotePost.id).desc())
        .limit(MOST_RECENT)
    )
    return list(newest)[::-1]


def newest_at(session: Session, subscriber_id: int) -> datetime | None:
    """When something was last posted behind any vote link of a subscriber."""
    return session.exec(
        select(func.max(VotePost.posted_at)).where(VotePost.subscriber_id == subscriber_id)
    ).one()


def of_subscriber(session: Session, subscriber_id: int) -> list[VotePost]:
    """Everything that was posted behind a subscriber's vote links, oldest first."""
    return list(
        session.exec(
            select(VotePost)
            .where(VotePost.subscriber_id == subscriber_id)
            .order_by(col(VotePost.id))
        )
    )
