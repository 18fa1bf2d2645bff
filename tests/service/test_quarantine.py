"""Which votes by link a program cast, and that voiding them leaves everybody else's alone."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import START, Clock, fill, join, with_settings
from sqlmodel import delete, select

from paperpost.schedule import Clockwork
from paperpost.service import account, leaving, own_votes, vote
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose, token
from paperpost.service.quarantine import (
    ALL_THUMBS,
    BOTH_THUMBS,
    TOO_EARLY,
    TOO_MANY,
    automatic,
)
from paperpost.settings import load_settings
from paperpost.store import outbox, papers, subscribers, votes
from paperpost.store.database import Database, StoreError
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Digest,
    Subscriber,
    VotePost,
)

ARRIVED = START - timedelta(minutes=2)
LONG_AGO = START - timedelta(minutes=10)


def post(paper: int, second: float, link: int = 1, value: int | None = None) -> VotePost:
    """A post so many seconds after START."""
    return VotePost(
        subscriber_id=1,
        paper_number=paper,
        link_value=link,
        value=link if value is None else value,
        issued_at=START - timedelta(hours=2),
        posted_at=START + timedelta(seconds=second),
    )


def verdict(posts: Sequence[VotePost], arrived_at: datetime | None = ARRIVED) -> set[str]:
    """The reasons; that all posts or none are a program's is checked."""
    found = automatic(posts, arrived_at)
    assert len(found) in (0, len(posts))
    return {reason for _, reason in found}


def test_three_links_within_ten_seconds_are_a_readers_and_four_a_programs() -> None:
    assert verdict([post(1, 0), post(2, 4), post(3, 10)]) == set()
    assert verdict([post(1, 0), post(2, 4), post(3, 8), post(4, 10)]) == {TOO_MANY.format(3)}
    assert verdict([post(1, 0), post(2, 4), post(3, 8), post(4, 10.1)]) == set()


def test_of_a_mail_that_is_not_new_eight_tabs_are_a_readers_and_nine_a_programs() -> None:
    posts = [post(paper, paper) for paper in range(9)]
    assert verdict(posts[:8], LONG_AGO) == set()
    assert verdict(posts, LONG_AGO) == {TOO_MANY.format(8)}
    assert verdict([*posts[:3], post(2, 3, link=-1)], LONG_AGO) == {BOTH_THUMBS}
    assert verdict(posts[:4], LONG_AGO + timedelta(seconds=1)) == {TOO_MANY.format(3)}


def test_the_buttons_of_one_links_page_are_one_link() -> None:
    posts = [post(1, second, value=value) for second, value in enumerate((1, -1, 0, 1, -1))]
    assert verdict(posts) == set()


def test_both_thumbs_of_a_paper_within_ten_seconds_are_a_programs() -> None:
    assert verdict([post(1, 0), post(1, 10, link=-1)]) == {BOTH_THUMBS}
    assert verdict([post(1, 0), post(1, 11, link=-1)]) == set()
    assert verdict([post(1, 0), post(2, 3, link=-1)]) == set()


@pytest.mark.parametrize(("second", "found"), [(0, TOO_EARLY), (60, TOO_EARLY), (61, "")])
def test_a_click_within_a_minute_of_the_arrival_is_a_programs(second: int, found: str) -> None:
    assert verdict([post(1, second)], START) == ({found} if found else set())


def test_a_server_that_answers_after_its_scanner_began_hides_nothing() -> None:
    assert verdict([post(1, 0)], START + timedelta(seconds=5)) == {TOO_EARLY}


def test_a_digest_of_which_no_arrival_is_known_has_no_early_clicks() -> None:
    assert verdict([post(1, 0)], None) == set()


@pytest.mark.parametrize("gap", [0, 1, 5, 10, 15, 28])
def test_a_program_that_takes_link_after_link_is_told_at_any_pace(gap: float) -> None:
    order = [(paper, link) for paper in range(10) for link in (1, -1)]
    posts = [post(paper, place * gap, link) for place, (paper, link) in enumerate(order)]
    assert verdict(posts)


def test_a_slow_program_is_told_by_the_third_paper_of_which_it_takes_both_thumbs() -> None:
    pairs = [(1, 0), (1, 20), (2, 40), (2, 60), (3, 80), (3, 100)]
    posts = [post(p, at, 1 if place % 2 else -1) for place, (p, at) in enumerate(pairs)]
    assert verdict(posts[:4]) == set()
    assert verdict(posts) == {ALL_THUMBS}


def test_a_program_that_is_fast_and_slow_by_turns_is_told_as_well() -> None:
    fast = [post(1, 0), post(1, 5, link=-1), post(2, 50), post(2, 55, link=-1)]
    slow = [post(3, 100), post(3, 120, link=-1)]
    found = automatic([*fast, *slow], ARRIVED)
    assert [reason for _, reason in found] == [BOTH_THUMBS] * 4 + [ALL_THUMBS] * 2
    readers = [post(4, 200), post(4, 230), post(5, 260, link=-1)]
    assert len(automatic([*fast, *slow, *readers], ARRIVED)) == 6


def test_pages_that_voted_by_themselves_when_a_program_opened_them_are_its_work() -> None:
    opened = [post(paper, 8 * paper) for paper in range(4)]
    submitted = [post(p, 50 + 2 * p + (v < 0), link=v) for p in range(4) for v in (1, -1)]
    found = automatic([*opened, *submitted], LONG_AGO)
    assert [reason for _, reason in found] == [BOTH_THUMBS] * 8 + [ALL_THUMBS] * 4
    earlier = [post(paper, second - 40) for paper, second in enumerate((0, 9, 18))]
    assert len(automatic([*earlier, *submitted], LONG_AGO)) == 8


def test_a_burst_is_a_programs_from_its_first_post_to_its_last() -> None:
    burst = [post(paper, second) for paper, second in enumerate((0, 9, 10, 11, 12, 22))]
    later = post(9, 33)
    found = automatic([*burst, later], ARRIVED)
    assert [seen for seen, _ in found] == burst


made_posts = st.lists(
    st.tuples(st.integers(1, 9), st.floats(0, 600), st.sampled_from([1, -1])), max_size=30
).map(lambda made: sorted((post(*one) for one in made), key=lambda one: one.posted_at))


@given(made_posts)
def test_of_posts_within_ten_seconds_of_one_another_none_is_judged_alone(
    posts: list[VotePost],
) -> None:
    found = [seen for seen, reason in automatic(posts, ARRIVED) if reason != ALL_THUMBS]
    for before, after in pairwise(posts):
        if after.posted_at - before.posted_at <= timedelta(seconds=10):
            assert (before in found) == (after in found)


@given(st.lists(st.integers(1, 9), unique=True), st.lists(st.floats(10.1, 60), min_size=9))
def test_one_click_at_a_time_is_always_a_readers(order: list[int], pauses: list[float]) -> None:
    seconds = accumulate(pauses)
    assert verdict(
        [post(paper, second) for paper, second in zip(order, seconds, strict=False)]
    ) == (set())


DAY = date(2026, 4, 7)


class Reader:
    """Somebody with the vote links of a digest of twelve papers, composed an hour ago."""

    def __init__(self, installation: Installation, name: str) -> None:
        self.here = installation
        self.email = join(installation, name, "graph")
        self.issued = installation.clock() - timedelta(hours=1)
        with installation.database.reading() as session:
            person = subscribers.by_email(session, self.email)
            assert person is not None
            self.number = id_of(person)
            self.papers = sorted(map(number_of, papers.announced(session, DAY, DAY)))

    def mail(self, state: DeliveryState, at: datetime) -> None:
        """The digest of the links is in that state, and was tried or arrived then."""
        delivery = Delivery(
            kind=DeliveryKind.DIGEST,
            subscriber_id=self.number,
            local_date=DAY,
            state=state,
            created_at=self.issued,
            due_at=self.issued,
            expires_at=self.issued,
            message_id="<1@example.org>",
            tried_at=at,
            sent_at=at if state == DeliveryState.SENT else None,
        )
        with self.here.database.writing() as session:
            session.exec(delete(Digest))
            number = outbox.add(session, delivery)
            session.add(
                Digest(
                    subscriber_id=self.number,
                    local_date=DAY,
                    delivery_id=number,
                    composed_at=self.issued,
                    template_version="",
                    frequency="daily",
                    why="",
                    considered=0,
                    newest_paper=0,
                    items=[],
                )
            )

    def link(self, place: int, value: int = 1) -> str:
        """The token of a link of the paper at that place of the digest."""
        fields = (self.number, self.papers[place], value)
        return token(self.here.signer, Purpose.VOTE, self.issued, *fields)

    def look(self, place: int) -> vote.VotePage:
        """Open the page of a link."""
        return vote.show(self.here, self.link(place))

    def click(self, place: int, value: str = "up", link: int = 1) -> vote.VotePage:
        """Post the form behind a link."""
        return vote.cast_by_link(self.here, self.link(place, link), value)

    def history(self) -> list[tuple[int, int, str | None]]:
        """Every act: the paper's place, the value, and why it never counts."""
        with self.here.database.reading() as session:
            own = votes.acts(session, self.number)
        return [(self.papers.index(act.paper_number), act.value, act.voided) for act in own]

    def burst(self) -> None:
        """What a program does."""
        for place in range(4):
            self.click(place, "up")
            self.click(place, "down", link=-1)

    def counted(self) -> dict[int, int]:
        """The votes that count now, by the paper's place."""
        with self.here.database.reading() as session:
            own = votes.counted(session, self.here.clock(), [self.number])[self.number]
        return {self.papers.index(paper): act.value for paper, act in own.items()}


@pytest.fixture
def ada(any_installation: Installation) -> Reader:
    fill(any_installation, [DAY])
    return Reader(any_installation, "ada")


def test_votes_that_landed_before_the_burst_was_recognised_never_count_either(
    ada: Reader, clock: Clock
) -> None:
    for place in range(5):
        ada.click(place)
        clock.turn(seconds=2)
    clock.turn(minutes=10)
    assert ada.counted() == {}
    history = account.export(ada.here, ada.email)
    assert {act["voided"] for act in history["vote_history"]} == {TOO_MANY.format(3)}
    assert len(history["vote_posts"]) == 5


def test_a_burst_leaves_what_the_reader_said_before_as_it_was(ada: Reader, clock: Clock) -> None:
    ada.click(0)
    clock.turn(minutes=1)
    ada.click(1, "down")
    clock.turn(minutes=9)
    assert ada.counted() == {0: 1}
    ada.click(2, "down")
    clock.turn(seconds=30)
    ada.click(2, "none")
    clock.turn(seconds=61)
    ada.burst()
    ada.click(1, "none")
    ada.click(0, "none")
    assert ada.counted() == {0: 1, 1: -1}
    clock.turn(minutes=10)
    assert ada.counted() == {0: 1, 1: -1}


def test_a_readers_vote_that_said_the_same_as_a_voided_one_counts(
    ada: Reader, clock: Clock
) -> None:
    ada.mail(DeliveryState.SENDING, clock() - timedelta(seconds=61))
    ada.click(0)  # by a program: the mail is there, but its server has not answered yet
    clock.turn(seconds=100)
    ada.click(0)
    assert ada.history() == [(0, 1, None)]
    ada.mail(DeliveryState.SENT, START + timedelta(seconds=30))
    clock.turn(seconds=1)
    ada.click(1)
    assert ada.history() == [(0, 1, TOO_EARLY), (1, 1, None), (0, 1, None)]
    clock.turn(minutes=9, seconds=58)
    assert ada.counted() == {}
    clock.turn(seconds=1)
    assert ada.counted() == {0: 1}


def test_what_a_reader_said_by_command_since_is_their_last_word(ada: Reader, clock: Clock) -> None:
    ada.mail(DeliveryState.SENDING, clock() - timedelta(seconds=61))
    ada.click(0)
    clock.turn(seconds=100)
    ada.click(0)
    with ada.here.database.reading() as session:
        first = papers.by_number(session, ada.papers)[ada.papers[0]].id
    vote.cast_by_command(ada.here, ada.email, first, "down")
    ada.mail(DeliveryState.SENT, START + timedelta(seconds=30))
    ada.click(1)
    clock.turn(minutes=10)
    assert ada.counted() == {0: -1, 1: 1}


def test_only_what_a_person_said_keeps_a_thumb_from_being_the_vote(
    ada: Reader, clock: Clock
) -> None:
    ada.mail(DeliveryState.SENT, clock())
    ada.burst()
    clock.turn(minutes=10)
    assert not ada.look(0).votes_itself, "unless the operator asks for it"
    ada.here = with_settings(ada.here, vote_one_tap=True)
    assert ada.look(0).votes_itself
    ada.click(0)
    assert not ada.look(0).votes_itself
    ada.click(0, "none")
    assert not ada.look(0).votes_itself


def test_what_was_posted_and_pressed_is_forgotten_after_a_week(ada: Reader, clock: Clock) -> None:
    ada.click(0)
    leaving.press_leave(ada.here, token(ada.here.signer, Purpose.UNSUBSCRIBE, START, ada.number))
    clock.turn(days=6)
    ada.click(1)
    ticking = Clockwork(with_settings(ada.here, sources=()), threading.Event())
    ticking._tick()
    kept = account.export(ada.here, ada.email)
    assert (len(kept["vote_posts"]), bool(kept["unsubscribe_press"])) == (2, True)
    clock.turn(days=1, seconds=1)
    ticking._tick()
    kept = account.export(ada.here, ada.email)
    assert (len(kept["vote_posts"]), bool(kept["unsubscribe_press"])) == (1, False)
    assert len(ada.counted()) == 2


def test_votes_of_one_subscriber_are_cast_one_after_the_other(
    postgresql_url: str, tmp_path: Path
) -> None:
    settings = load_settings(home=tmp_path, secret_key=("a key for tests only",))
    impatient = Database(f"{postgresql_url}&options=-c%20lock_timeout%3D50ms")
    here = Installation(settings, impatient, Clock())
    fill(here, [DAY])
    ada = Reader(here, "ada")
    ada.burst()
    (ignored,) = own_votes.show(here, ada.number).ignored
    mine, link = [str(one.number) for one in ignored.votes], ada.link(0)
    own = select(Subscriber).where(Subscriber.id == ada.number)
    with here.database.writing() as session:
        # What any new row that points to a subscriber locks.
        session.exec(own.with_for_update(read=True, key_share=True)).one()
        for cast in (
            lambda: vote.cast_by_link(here, link, "up"),
            lambda: vote.restore_by_link(here, link, mine),
            lambda: own_votes.restore(here, ada.number, mine),
            lambda: vote.cast_by_command(here, ada.email, ignored.votes[0].paper_id, "up"),
        ):
            with pytest.raises(StoreError, match="lock timeout"):
                cast()
    assert ada.counted() == {}
    here.close()


def test_whose_turn_it_is_knows_what_was_done_before(ada: Reader) -> None:
    if ada.here.database.is_sqlite:
        pytest.skip("who writes to SQLite reads after everybody else has written")
    with ada.here.database.writing() as session:
        person = subscribers.by_id(session, [ada.number])[ada.number]
        leaving.leave(ada.here, token(ada.here.signer, Purpose.UNSUBSCRIBE, START, ada.number))
        subscribers.take_turns(session, ada.number)
        assert person.state == "unsubscribed"


def test_two_bursts_one_after_the_other_leave_a_held_vote_holding(
    ada: Reader, clock: Clock
) -> None:
    ada.click(0, "down")
    for _ in range(2):
        clock.turn(seconds=61)
        ada.burst()
    clock.turn(minutes=10)
    assert ada.counted() == {0: -1}


def test_a_burst_on_one_readers_links_disturbs_nobody_else(ada: Reader, clock: Clock) -> None:
    ben = Reader(ada.here, "ben")
    ben.click(0)
    ada.burst()
    ben.click(1, "down")
    clock.turn(minutes=10)
    assert ada.counted() == {}
    assert ben.counted() == {0: 1, 1: -1}


def test_clicks_that_come_all_at_once_are_judged_together(ada: Reader, clock: Clock) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(ada.click, range(6)))
    clock.turn(minutes=10)
    assert ada.counted() == {}


def test_links_of_two_digests_are_no_burst(ada: Reader, clock: Clock) -> None:
    for place in range(6):
        if place == 3:
            ada.issued -= timedelta(days=1)
        ada.click(place)
    clock.turn(minutes=10)
    assert len(ada.counted()) == 6


def test_a_reader_who_corrects_a_vote_on_its_page_is_heard(ada: Reader, clock: Clock) -> None:
    ada.click(0, "up")
    clock.turn(seconds=3)
    ada.click(0, "down")
    clock.turn(minutes=10)
    assert ada.counted() == {0: -1}


def test_without_a_hold_nothing_is_voided(ada: Reader) -> None:
    ada.here = with_settings(ada.here, vote_hold_seconds=0)
    ada.burst()
    assert ada.counted() == dict.fromkeys(range(4), -1)


def test_a_vote_by_command_is_out_of_reach(ada: Reader, clock: Clock) -> None:
    with ada.here.database.reading() as session:
        first = papers.by_number(session, ada.papers)[ada.papers[0]].id
    ada.click(0)
    vote.cast_by_command(ada.here, ada.email, first, "none")
    vote.cast_by_command(ada.here, ada.email, first, "down")
    ada.burst()
    clock.turn(minutes=10)
    assert ada.counted() == {0: -1}


def test_posts_are_deleted_with_their_reader(ada: Reader) -> None:
    ada.burst()
    account.delete(ada.here, ada.email)
    with ada.here.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM vote_post").scalar() == 0
