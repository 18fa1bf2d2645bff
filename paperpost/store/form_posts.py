"""Who posted the open forms in the last hour: marks of addresses and clients, not they
themselves."""

from datetime import datetime

from sqlalchemy import distinct, update
from sqlmodel import Session, col, delete, func, select

from paperpost.store.tables import FormPost


def add(session: Session, post: FormPost) -> None:
    """Keep one more."""
    session.add(post)
    session.flush()


def addresses_at(session: Session, form: str, since: datetime) -> int:
    """How many addresses were posted with a form."""
    return session.exec(
        select(func.count(distinct(col(FormPost.address)))).where(
            FormPost.posted_at > since, FormPost.form == form
        )
    ).one()


def addresses_of(session: Session, client: str, since: datetime, *, but: str) -> int:
    """How many addresses other than `but` a client posted, with any form."""
    return session.exec(
        select(func.count(distinct(col(FormPost.address)))).where(
            FormPost.posted_at > since, FormPost.client == client, FormPost.address != but
        )
    ).one()


def count_as(session: Session, form: str, address: str) -> None:
    """Have the posts of an address count as those of another form from now on."""
    session.exec(update(FormPost).where(col(FormPost.address) == address).values(form=form))


def remove_before(session: Session, moment: datetime) -> None:
    """Forget the posts of all that are older."""
    session.exec(delete(FormPost).where(col(FormPost.posted_at) < moment))
