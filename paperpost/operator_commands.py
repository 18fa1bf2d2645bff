"""The commands that give out tokens: operator, token."""

from typing import Annotated

import typer

from paperpost.terminal import AsJson, Email, opened, show


def register(app: typer.Typer) -> None:
    """Add these commands to the others."""
    for command in (operator, token):
        app.command()(command)


def operator(as_json: AsJson = False) -> None:
    """The address of the operator's page; whoever has it sees the page, for 90 days."""
    from paperpost.service.links import LASTS, Purpose, operator_url

    with opened() as installation:
        now = installation.clock()
        url = operator_url(installation, now)
    lasts = LASTS[Purpose.OPERATOR]
    until = None if lasts is None else (now + lasts).isoformat()
    show(as_json, {"url": url, "until": until}, url)


def token(
    email: Email,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="One for an hour that may export and delete, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A subscriber's token for the API; it works until they renew their links."""
    from paperpost.service import tokens

    with opened() as installation:
        made = tokens.token_of(installation, email, fresh=fresh)
    show(as_json, {"email": email, "token": made}, made)
