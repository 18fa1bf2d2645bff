"""Several interests kept apart, each with its share of the digest.

A keyword, followed author or category belongs to one named interest, or to none: what belongs to
none is the general rest, which has the share that the named ones leave. What is muted or
forgotten is so for the whole person. The profiles that come of it: recommender/shares.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sqlmodel import Session

from paperpost.service.installation import Installation
from paperpost.service.wishes import MOST_TERMS, InvalidWish, terms
from paperpost.store import named_interests, subscribers
from paperpost.store.named_interests import KINDS, Named, Terms
from paperpost.store.tables import InterestKind

MOST_NAMED = 8
LONGEST_NAME = 60
MOST_SHARE = 100
# What the general rest has of a digest at least, in hundredths, however much is asked for.
LEAST_REST = 10


@dataclass(frozen=True, slots=True)
class Interests:
    """All that a subscriber asked for: the named interests in the order they were made, the
    general terms, which belong to none of them, and what is muted and forgotten.

    `percents` are what each named interest and, last, the general rest have of a digest, 0 for
    what has no terms; they sum to 100, or to 0 where there are no terms at all.
    """

    named: tuple[Named, ...]
    general: Terms
    muted: tuple[str, ...]
    forgotten: tuple[str, ...]
    percents: tuple[int, ...]

    @property
    def asked(self) -> int:
        """What the shares of the named interests that have terms come to."""
        return sum(one.share for one in self.named if any(one.terms.values()))

    @property
    def is_scaled(self) -> bool:
        """Whether a digest is divided otherwise than the shares say, as they are no hundred."""
        if any(self.general.values()):
            return self.asked > 100 - LEAST_REST
        return self.asked not in (0, 100)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a named interest, or of the general rest, which has neither name nor
    share; None leaves what there is. Kinds of `terms` that are not named stay as they are."""

    name: str | None = None
    share: int | None = None
    terms: Terms | None = None


def interests(installation: Installation, subscriber_id: int) -> Interests:
    """What a subscriber asked for. Changes nothing."""
    with installation.database.reading() as session:
        return _interests(session, subscriber_id)


def add(
    installation: Installation, subscriber_id: int, name: str, share: int, wanted: Terms
) -> int:
    """Make a named interest with these terms, which leave any other they belong to; its number.

    Raises InvalidWish for a name that is empty, too long or taken, a share that is none, too many
    terms or too many interests.
    """
    with installation.database.writing() as session:
        own = _in_turn(session, subscriber_id)
        if len(own.named) >= MOST_NAMED:
            raise InvalidWish(f"at most {MOST_NAMED} named interests")
        number = named_interests.add(
            session, subscriber_id, _free_name(own, name, None), _share(share)
        )
        _set_terms(session, subscriber_id, {number: wanted})
        return number


def change(
    installation: Installation, subscriber_id: int, changes: Mapping[int | None, Change]
) -> Interests:
    """Change named interests by number, and by None the general rest, all or nothing; what the
    subscriber asked for after it.

    A term that is listed where it was not before moves there. Raises InvalidWish as `add`, and
    for a number that is none of theirs.
    """
    with installation.database.writing() as session:
        own = _in_turn(session, subscriber_id)
        for number, wanted in changes.items():
            if number is not None:
                _rename(session, own, number, wanted)
                own = _interests(session, subscriber_id)
        listed = {number: one.terms for number, one in changes.items() if one.terms is not None}
        _set_terms(session, subscriber_id, listed)
        return _interests(session, subscriber_id)


def move(
    installation: Installation,
    subscriber_id: int,
    kind: InterestKind,
    value: str,
    number: int | None,
) -> None:
    """Have a term that the subscriber has belong to a named interest, or by None to the general
    rest. Raises InvalidWish where they have no such term or interest."""
    with installation.database.writing() as session:
        own = _in_turn(session, subscriber_id)
        if number is not None:
            _one_of(own, number)
        if kind not in KINDS or value not in _all_terms(session, subscriber_id, kind):
            raise InvalidWish(f"there is no {kind.value} {value[:40]!r} to move")
        named_interests.put(session, subscriber_id, kind, [value], number)


def remove(installation: Installation, subscriber_id: int, number: int) -> Named:
    """Remove a named interest; its terms stay, as general ones. What it was.

    Raises InvalidWish for a number that is none of theirs.
    """
    with installation.database.writing() as session:
        gone = _one_of(_in_turn(session, subscriber_id), number)
        named_interests.remove(session, number)
        return gone


def rest_share(named: Iterable[Named]) -> int:
    """The share of what belongs to no named interest: what they leave of a hundred, or as much as
    makes it LEAST_REST hundredths of all shares together."""
    asked = sum(one.share for one in named)
    return max(100 - asked, ceil(asked * LEAST_REST / (100 - LEAST_REST)))


def parts(wishes: Terms, named: Sequence[Named]) -> list[Named]:
    """What a digest is divided among: the named interests that have terms and, where there are
    general terms among all the `wishes`, the rest, whose number is 0 and whose name is empty."""
    taken = {(kind, value) for one in named for kind in KINDS for value in one.terms.get(kind, ())}
    general = {
        kind: [value for value in wishes.get(kind, ()) if (kind, value) not in taken]
        for kind in KINDS
    }
    found = [one for one in named if any(one.terms.values())]
    if any(general.values()):
        found.append(Named(0, "", rest_share(found), general))
    return found


def _interests(session: Session, subscriber_id: int) -> Interests:
    wishes = subscribers.interests(session, [subscriber_id])[subscriber_id]
    named = named_interests.of_subscribers(session, [subscriber_id]).get(subscriber_id, [])
    found = {part.number: part for part in parts(wishes, named)}
    general = found[0].terms if 0 in found else {kind: [] for kind in KINDS}
    shares = [found[n].share if n in found else 0 for n in (*(one.number for one in named), 0)]
    return Interests(
        named=tuple(named),
        general=general,
        muted=tuple(wishes.get(InterestKind.MUTED, ())),
        forgotten=tuple(wishes.get(InterestKind.FORGOTTEN, ())),
        percents=percents(shares),
    )


def percents(shares: Sequence[int]) -> tuple[int, ...]:
    """Shares as whole hundredths that sum to 100 (largest remainder); zeros where all are 0."""
    total = sum(shares)
    if not total:
        return tuple(0 for _ in shares)
    whole = [100 * share // total for share in shares]
    by_rest = sorted(range(len(shares)), key=lambda place: -(100 * shares[place] % total))
    for place in by_rest[: 100 - sum(whole)]:
        whole[place] += 1
    return tuple(whole)


def _in_turn(session: Session, subscriber_id: int) -> Interests:
    subscribers.take_turns(session, subscriber_id)
    return _interests(session, subscriber_id)


def _one_of(own: Interests, number: int) -> Named:
    found = next((one for one in own.named if one.number == number), None)
    if found is None:
        raise InvalidWish("that interest is no longer there")
    return found


def _rename(session: Session, own: Interests, number: int, wanted: Change) -> None:
    before = _one_of(own, number)
    name = before.name if wanted.name is None else _free_name(own, wanted.name, number)
    share = before.share if wanted.share is None else _share(wanted.share)
    named_interests.change(session, number, name, share)


def _free_name(own: Interests, text: str, number: int | None) -> str:
    """The name as it is kept, unless another interest has it."""
    name = next(iter(terms([text]) or ()), "")
    if not name:
        raise InvalidWish("an interest needs a name")
    if len(name) > LONGEST_NAME:
        raise InvalidWish(f"at most {LONGEST_NAME} characters for a name: {name[:40]!r}…")
    others = {one.name.casefold() for one in own.named if one.number != number}
    if name.casefold() in others:
        raise InvalidWish(f"there is an interest {name!r} already")
    return name


def _share(share: int) -> int:
    if not 1 <= share <= MOST_SHARE:
        raise InvalidWish(f"a share is a number from 1 to {MOST_SHARE}")
    return share


def _all_terms(session: Session, subscriber_id: int, kind: InterestKind) -> list[str]:
    return subscribers.interests(session, [subscriber_id])[subscriber_id].get(kind, [])


def _set_terms(session: Session, subscriber_id: int, listed: Mapping[int | None, Terms]) -> None:
    """Make the lists of these interests exactly so; those of the others lose what moved."""
    for kind in KINDS:
        wanted = {number: _cleaned(own[kind]) for number, own in listed.items() if kind in own}
        if wanted:
            _set_kind(session, subscriber_id, kind, wanted)


def _cleaned(values: Sequence[str]) -> tuple[str, ...]:
    return terms(values) or ()


def _set_kind(
    session: Session,
    subscriber_id: int,
    kind: InterestKind,
    wanted: Mapping[int | None, Sequence[str]],
) -> None:
    before = _all_terms(session, subscriber_id, kind)
    named = named_interests.of_subscribers(session, [subscriber_id]).get(subscriber_id, [])
    home: dict[str, int | None] = dict.fromkeys(before)
    home |= {value: one.number for one in named for value in one.terms.get(kind, ())}
    after = _homes(home, wanted)
    # Where nothing moves in or out the order of the list stays what it was.
    kept = [value for value in before if value in after]
    new = [value for value in after if value not in home]
    if len(kept) + len(new) > MOST_TERMS:
        raise InvalidWish(f"at most {MOST_TERMS} of a kind, not {len(kept) + len(new)}")
    subscribers.set_interests(session, subscriber_id, {kind: (*kept, *new)})
    for number in dict.fromkeys(after.values()):
        moved = [value for value, to in after.items() if to == number and home.get(value) != number]
        named_interests.put(session, subscriber_id, kind, moved, number)


def _homes(
    before: Mapping[str, int | None], wanted: Mapping[int | None, Sequence[str]]
) -> dict[str, int | None]:
    """Which interest each term belongs to when these have the lists `wanted`: one that is listed
    twice goes where it was not before."""
    after = {value: number for value, number in before.items() if number not in wanted}
    for number, values in wanted.items():
        for value in values:
            is_old = value in before and before[value] == number
            if not is_old or value not in after:
                after[value] = number
    return after
