"""Which votes a program cast, rather than the reader of the mail.

Mail gateways open every link within seconds of a delivery, and some run a page's scripts and submit
its forms. They cannot be told by name; they are told by what they post behind the links of one
digest, and when. A vote that is voided stays in the history with the reason.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlmodel import Session

from paperpost.store import arrivals, vote_posts, votes
from paperpost.store.tables import VotePost

T = TypeVar("T")

# Nobody has read a digest that soon. Before it as well: a mail server's answer may be written
# down a moment after its scanner has begun.
HASTE = timedelta(seconds=60)
# Posts no farther apart belong together, and are judged together.
PAUSE = timedelta(seconds=10)
# So many links a reader may follow to their buttons within one PAUSE.
MOST_LINKS = 3
# A slow program that takes link after link posts both thumbs of every paper; a reader may have
# mistaken the thumb once or twice.
MOST_MISTAKES = 2
LOOKS_BACK = timedelta(minutes=10)

TOO_EARLY = "clicked within a minute of the mail's arrival"
TOO_MANY = f"more than {MOST_LINKS} links clicked within ten seconds"
BOTH_THUMBS = "both thumbs of a paper clicked within ten seconds"
ALL_THUMBS = "both thumbs of several papers clicked within ten minutes"


def automatic(posts: Sequence[VotePost], arrived_at: datetime | None) -> list[tuple[VotePost, str]]:
    """Those of the posts that a program made, each with the reason.

    `posts` are those of LOOKS_BACK behind the links of one digest, oldest first; `arrived_at` is
    when its mail server accepted it. Of a burst all are a program's, or none; of those that are in
    no such burst, the ones on papers of which both thumbs were clicked, if they are several.
    """
    found: list[tuple[VotePost, str]] = []
    left: list[VotePost] = []
    for burst in bursts(posts, _posted_at):
        if reason := _reason(burst, arrived_at):
            found += [(post, reason) for post in burst]
        else:
            left += burst
    doubled = _papers_with_both_thumbs(left)
    if len(doubled) > MOST_MISTAKES:
        found += [(post, ALL_THUMBS) for post in left if post.paper_number in doubled]
    return found


def void_automatic(session: Session, latest: VotePost) -> None:
    """Void the votes that a program cast, if it made the latest post."""
    number, now = latest.subscriber_id, latest.posted_at
    posts = vote_posts.recent(session, number, latest.issued_at, now - LOOKS_BACK)
    arrived_at = arrivals.of_digest(session, number, latest.issued_at, now)
    found = automatic(posts, arrived_at)
    votes.void(session, number, {(post.paper_number, post.posted_at): why for post, why in found})


def bursts(acts: Sequence[T], moment: Callable[[T], datetime]) -> Iterator[list[T]]:
    """Acts in order of time, parted where there is more than a PAUSE between two."""
    burst: list[T] = []
    for act in acts:
        if burst and moment(act) - moment(burst[-1]) > PAUSE:
            yield burst
            burst = []
        burst.append(act)
    if burst:
        yield burst


def _posted_at(post: VotePost) -> datetime:
    return post.posted_at


def _reason(burst: Sequence[VotePost], arrived_at: datetime | None) -> str:
    """Why the burst is a program's, or an empty text."""
    if arrived_at and any(abs(post.posted_at - arrived_at) <= HASTE for post in burst):
        return TOO_EARLY
    for last in burst:
        together = [
            post for post in burst if last.posted_at - PAUSE <= post.posted_at <= last.posted_at
        ]
        if len({(post.paper_number, post.link_value) for post in together}) > MOST_LINKS:
            return TOO_MANY
        if _papers_with_both_thumbs(together):
            return BOTH_THUMBS
    return ""


def _papers_with_both_thumbs(posts: Sequence[VotePost]) -> set[int]:
    """Papers of which both links were followed; a correction on the page of one link is none."""
    up = {post.paper_number for post in posts if post.link_value > 0}
    return up & {post.paper_number for post in posts if post.link_value < 0}
