"""The commands about one subscriber, and about many from a file."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperpost.terminal import AsJson, Email, opened, say, show, show_ingested

if TYPE_CHECKING:
    from paperpost.service.mentions import Unmentioned


def register(app: typer.Typer) -> None:
    """Add these commands to the others."""
    for command in (subscribe, export, delete, vote):
        app.command()(command)


def subscribe(
    email: Annotated[str | None, typer.Argument(help="An address.")] = None,
    keyword: Annotated[
        list[str] | None,
        typer.Option(help="What to look for, in place of earlier ones."),
    ] = None,
    author: Annotated[list[str] | None, typer.Option(help="An author to follow.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="A category, like cs.CL.")] = None,
    mute: Annotated[list[str] | None, typer.Option(help="What not to see.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Like Europe/Berlin [UTC].")] = None,
    hour: Annotated[int | None, typer.Option(help="Local hour of the digest [8].")] = None,
    size: Annotated[int | None, typer.Option(help="Papers in a digest [10].")] = None,
    frequency: Annotated[
        str | None, typer.Option(help="daily, weekdays or weekly (Mondays) [daily].")
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="Mail only papers that are this likely to please, 1 to 99, at most SIZE, "
            "and on a day without any no mail; or none [none].",
        ),
    ] = None,
    explore: Annotated[
        bool | None,
        typer.Option(
            "--explore/--no-explore", help="One paper outside the usual a digest, marked [yes]."
        ),
    ] = None,
    revisions: Annotated[
        bool | None,
        typer.Option(
            "--revisions/--no-revisions",
            help="Papers of half a year too when a new version comes out, marked [no].",
        ),
    ] = None,
    quiet_note: Annotated[
        bool | None,
        typer.Option(
            "--quiet-note/--no-quiet-note",
            help="On a day without papers a note that says why, rather than no mail [no].",
        ),
    ] = None,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="They have agreed already: mail nothing.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option(
            help="A CSV: email,keywords (with ;),timezone,hour,size,frequency,threshold,explore,"
            "quiet_note,revisions."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Subscribe one address, or many from a file; a known address is changed."""
    if (email is None) == (file is None):
        raise typer.BadParameter("give either an address or --file")
    if file is not None:
        _subscribe_many(file, confirmed, as_json)
        return
    from paperpost.service import mentions, wishes
    from paperpost.service import subscribe as service

    try:
        wanted = wishes.checked(
            {
                "keywords": keyword,
                "authors": author,
                "categories": category,
                "muted": mute,
                "timezone": timezone,
                "hour": hour,
                "size": size,
                "frequency": frequency,
                "threshold": threshold,
                "explore": _yes_or_no(explore),
                "quiet_note": _yes_or_no(quiet_note),
                "revisions": _yes_or_no(revisions),
            }
        )
    except wishes.InvalidWish as error:
        raise typer.BadParameter(str(error)) from error
    with opened() as installation:
        done = service.by_command(installation, email or "", wanted, confirmed=confirmed)
        found = mentions.unmentioned(installation, wanted.interests())
    note = "; a mail asks them to confirm: `paperpost send` delivers it" if done.mailed else ""
    document = asdict(done) | _say_unmentioned(found)
    show(as_json, document, f"{done.email} is {done.state}{note}")


def _yes_or_no(chosen: bool | None) -> str | None:
    return None if chosen is None else "yes" if chosen else "no"


def _say_unmentioned(found: "Sequence[Unmentioned]") -> dict[str, list[str]]:
    """Tell which interests no paper has; the same for machines."""
    from paperpost.service.mentions import unknown

    for one in found:
        say(one.sentence)
    return unknown(found)


def _subscribe_many(file: Path, confirmed: bool, as_json: bool) -> None:
    from paperpost.service import mentions
    from paperpost.service import subscribe as service

    with opened() as installation:
        done = service.from_file(installation, file, confirmed=confirmed)
        found = mentions.unmentioned(installation, done.asked)
    document = asdict(done) | _say_unmentioned(found)
    del document["asked"]
    document["rejected"] = [
        {"file": str(file), "record": line, "reason": reason} for line, reason in done.rejected
    ]
    show_ingested(as_json, document)
    if not done.added + done.updated + done.skipped:
        raise typer.Exit(1)


def export(
    email: Email,
    bibtex: Annotated[
        bool, typer.Option("--bibtex", help="Only the papers they like, as BibTeX.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Everything stored about an address, as JSON."""
    from paperpost.service import account

    with opened() as installation:
        if bibtex:
            text = account.export_liked(installation, email)
            show(as_json, {"email": email, "bibtex": text}, text.rstrip())
            return
        document = account.export(installation, email)
    show(True, document, "")


def delete(email: Email, as_json: AsJson = False) -> None:
    """Delete everything stored about an address, for good."""
    from paperpost.service import account

    with opened() as installation:
        account.delete(installation, email)
    show(as_json, {"email": email, "deleted": True}, f"Everything about {email} is gone.")


def vote(
    email: Email,
    paper: Annotated[str, typer.Argument(help="A paper's id.")],
    value: Annotated[str, typer.Argument(help="up, down or none.")],
    as_json: AsJson = False,
) -> None:
    """Vote for a subscriber; it counts at once."""
    from paperpost.service.vote import VALUES, cast_by_command

    if value not in VALUES:
        raise typer.BadParameter("the vote is up, down or none")
    with opened() as installation:
        cast_by_command(installation, email, paper, value)
    document = {"email": email, "paper": paper, "value": VALUES[value]}
    show(as_json, document, f"{email} on {paper}: {value}")
