"""Which votes a program cast, rather than the reader of the mail.

Mail gateways open every link within seconds of a delivery, and some run a page's scripts and submit
its forms. They cannot be told by name; they are told by what they post behind the links of one
digest, and when. A vote that is voided stays in the history with the reason.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlmodel import Session

from paperpost.service.installation import Installation
from paperpost.store import arrivals, presses, vote_posts, votes
from paperpost.store.tables import VotePost

T = TypeVar("T")
# The paper of a vote, and when it was posted.
Key = tuple[int, datetime]

# Nobody has read a digest that soon. Before it as well: a mail server's answer may be written
# down a moment after its scanner has begun.
HASTE = timedelta(seconds=60)
# Posts no farther apart belong together, and are judged together.
PAUSE = timedelta(seconds=10)
# Mail is checked within minutes of its delivery.
YOUNG = timedelta(minutes=10)
# So many links a reader may follow to their buttons within one PAUSE; later on, when a link may be
# the vote, so many tabs they may flip through.
MOST_LINKS = 3
MOST_TABS = 8
# A slow program that takes link after link posts both thumbs of every paper; a reader may have
# mistaken the thumb once or twice.
MOST_MISTAKES = 2
# Between two posts of such a program, with pages between them that have no vote.
BREATH = timedelta(seconds=60)
LOOKS_BACK = timedelta(minutes=10)
# Nothing here looks back that far; as long an export shows what was posted.
KEPT_FOR = timedelta(days=7)

TOO_EARLY = "clicked within a minute of the mail's arrival"
TOO_MANY = "more than {} links clicked within ten seconds"
BOTH_THUMBS = "both thumbs of a paper clicked within ten seconds"
ALL_THUMBS = "both thumbs of several papers clicked within ten minutes"


def automatic(posts: Sequence[VotePost], arrived_at: datetime | None) -> list[tuple[VotePost, str]]:
    """Those of the posts that a program made, each with the reason.

    `posts` are those of LOOKS_BACK behind the links of one digest, oldest first; `arrived_at` is
    when its mail server accepted it. Of a burst all are a program's, or none.
    """
    found: list[tuple[VotePost, str]] = []
    left: list[VotePost] = []
    for burst in bursts(posts, _posted_at, PAUSE):
        if reason := _reason(burst, arrived_at):
            found += [(post, reason) for post in burst]
        else:
            left += burst
    walked = _walked(posts, left)
    return found + [(post, ALL_THUMBS) for post in left if _key(post) in walked]


def _walked(posts: Sequence[VotePost], left: Sequence[VotePost]) -> set[Key]:
    """What a program that takes link after link posted of what is in no burst of its own: on papers
    whose thumbs both are in what is `left`, or both in one go with it, as when pages that vote by
    themselves are all opened first."""
    several: list[Sequence[VotePost]] = [
        run for run in bursts(posts, _posted_at, BREATH) if _takes_all(run)
    ]
    if _takes_all(posts):
        several.append(left)
    return {
        _key(post)
        for run in several
        for doubled in [_papers_with_both_thumbs(run)]
        for post in run
        if post.paper_number in doubled
    }


def _takes_all(posts: Sequence[VotePost]) -> bool:
    return len(_papers_with_both_thumbs(posts)) > MOST_MISTAKES


def judge(session: Session, subscriber_id: int, now: datetime) -> list[tuple[VotePost, str]]:
    """What programs posted lately behind a subscriber's vote links, each with the reason."""
    return _judged(session, subscriber_id, _recent(session, subscriber_id, now))


def void_automatic(
    session: Session, subscriber_id: int, now: datetime, hold: timedelta
) -> list[tuple[VotePost, str]]:
    """Void the votes that programs cast lately; their posts, each with the reason.

    What a reader said to the same effect had changed nothing, and is now cast as of when it was
    posted.
    """
    posts = _recent(session, subscriber_id, now)
    found = _judged(session, subscriber_id, posts)
    reasons = {_key(post): why for post, why in found}
    emptied = votes.void(session, subscriber_id, reasons)
    others = [post for post in posts if _key(post) not in reasons]
    last = {post.paper_number: post for post in others if post.paper_number in emptied}
    for post in last.values():
        _cast_again(session, post, hold)
    return found


def _cast_again(session: Session, post: VotePost, hold: timedelta) -> None:
    said_at = votes.last_said(session, post.subscriber_id, post.paper_number)
    if said_at is None or said_at < post.posted_at:
        votes.cast(
            session,
            post.subscriber_id,
            post.paper_number,
            post.value,
            origin=votes.LINK,
            now=post.posted_at,
            counts_at=post.posted_at + hold,
        )


def forget_old(installation: Installation) -> None:
    """Delete what was posted and pressed so long ago that it tells nothing any more."""
    oldest = installation.clock() - KEPT_FOR
    with installation.database.writing() as session:
        vote_posts.remove_before(session, oldest)
        presses.remove_before(session, oldest)


def _recent(session: Session, subscriber_id: int, now: datetime) -> list[VotePost]:
    return vote_posts.recent(session, subscriber_id, now - LOOKS_BACK)


def _judged(
    session: Session, subscriber_id: int, posts: Sequence[VotePost]
) -> list[tuple[VotePost, str]]:
    """Each digest's posts for themselves."""
    by_digest: dict[datetime, list[VotePost]] = defaultdict(list)
    for post in posts:
        by_digest[post.issued_at].append(post)
    return [
        verdict
        for issued_at, own in by_digest.items()
        for verdict in automatic(own, arrivals.of_digest(session, subscriber_id, issued_at))
    ]


def bursts(
    acts: Sequence[T], moment: Callable[[T], datetime], pause: timedelta
) -> Iterator[list[T]]:
    """Acts in order of time, parted where there is more than a pause between two."""
    burst: list[T] = []
    for act in acts:
        if burst and moment(act) - moment(burst[-1]) > pause:
            yield burst
            burst = []
        burst.append(act)
    if burst:
        yield burst


def _key(post: VotePost) -> Key:
    return post.paper_number, post.posted_at


def _posted_at(post: VotePost) -> datetime:
    return post.posted_at


def _reason(burst: Sequence[VotePost], arrived_at: datetime | None) -> str:
    """Why the burst is a program's, or an empty text."""
    if arrived_at and any(abs(post.posted_at - arrived_at) <= HASTE for post in burst):
        return TOO_EARLY
    is_old = arrived_at is not None and burst[0].posted_at - arrived_at >= YOUNG
    most = MOST_TABS if is_old else MOST_LINKS
    for last in burst:
        together = [
            post for post in burst if last.posted_at - PAUSE <= post.posted_at <= last.posted_at
        ]
        if len({(post.paper_number, post.link_value) for post in together}) > most:
            return TOO_MANY.format(most)
        if _papers_with_both_thumbs(together):
            return BOTH_THUMBS
    return ""


def _papers_with_both_thumbs(posts: Sequence[VotePost]) -> set[int]:
    """Papers of which both links were followed; a correction on the page of one link is none."""
    up = {post.paper_number for post in posts if post.link_value > 0}
    return up & {post.paper_number for post in posts if post.link_value < 0}
