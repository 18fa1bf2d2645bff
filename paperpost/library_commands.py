"""The command about a reader's own library."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperpost.terminal import AsJson, Email, fail, opened, say, show

if TYPE_CHECKING:
    from paperpost.service.bring import Brought
    from paperpost.service.installation import Installation
    from paperpost.service.suggest import Suggested

MOST_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add this command to the others."""
    app.command()(library)


def library(
    email: Email,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="BibTeX, RIS, CSL JSON, Zotero's RDF, CSV or JSON, or a list of ids; told by "
            "content.",
        ),
    ] = None,
    zotero: Annotated[
        str,
        typer.Option(metavar="LIBRARY", help="At zotero.org: users/NUMBER or groups/NUMBER."),
    ] = "",
    zotero_key_file: Annotated[
        Path | None, typer.Option(help="A file with the key that may read it; it is kept nowhere.")
    ] = None,
    author: Annotated[
        str, typer.Option(metavar="NAME", help="What NAME has on arXiv: listed, taken in by --yes.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Take in what --author lists.")] = False,
    interests: Annotated[
        bool,
        typer.Option(
            "--interests",
            help="Follow the most frequent tags and authors [five tags, and only for who has no "
            "interests].",
        ),
    ] = False,
    network: Annotated[
        bool, typer.Option(help="Ask arXiv for works of which little is told.")
    ] = True,
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Remove the votes that a library became.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start from what a subscriber has collected: each work is a vote for more like it."""
    brings = bool(files or zotero or author)
    if brings == take_back or (zotero_key_file and not zotero) or (yes and not author):
        raise typer.BadParameter("give FILE, --zotero or --author, or --take-back alone")
    if author and not yes and (files or zotero):
        raise typer.BadParameter("--author lists, and takes in nothing without --yes")
    from paperpost.service import bring

    with opened() as installation:
        if take_back:
            _take_back(installation, email, as_json)
        elif author and not yes:
            _list(installation, email, author, as_json)
        else:
            key = zotero_key_file.read_text("ascii", "replace").strip() if zotero_key_file else ""
            wanted = bring.Wanted(files or (), zotero, key, author, interests, network)
            _tell(bring.by_command(installation, email, wanted), as_json)


def _take_back(installation: "Installation", email: str, as_json: bool) -> None:
    from paperpost.service import bring

    votes = bring.take_back(installation, email)
    told = f"{votes:,} votes of {email}'s library are taken back; interests stay."
    show(as_json, {"taken_back": votes}, told)


def _list(installation: "Installation", email: str, author: str, as_json: bool) -> None:
    from paperpost.service import bring

    found = bring.published(installation, email, author)
    document = [{"paper": one.ids[0], "title": one.title, "authors": one.authors} for one in found]
    lines = [f"{one.ids[0]}  {one.title} ({', '.join(one.authors[:5])})" for one in found]
    if found:
        number = "1 paper" if len(found) == 1 else f"{len(found):,} papers"
        say(f"{number}; once more with --yes, and they count as votes")
    show(as_json, document, "\n".join(lines) or f"arXiv has nothing by {author}.")


def _tell(brought: "Brought", as_json: bool) -> None:
    taken = brought.taken
    for one in taken.unrecognised[:MOST_SHOWN]:
        say(f"not recognised: {', '.join(filter(None, (one.file, one.place)))}: {one.entry} "
            f"({one.reason})")  # fmt: skip
    if len(taken.unrecognised) > MOST_SHOWN:
        say(f"and {len(taken.unrecognised) - MOST_SHOWN} more: --json lists them all")
    document = {
        **asdict(taken),
        "waiting": list(taken.waiting),
        "looked_up": brought.looked_up,
        "interests": asdict(brought.followed),
    }
    show(as_json, document, "\n".join(_lines(brought)))
    if not taken.recognised:
        fail("nothing was recognised")


def _lines(brought: "Brought") -> list[str]:
    taken = brought.taken
    lines = [
        f"{taken.recognised:,} recognised ({taken.stored:,} stored here), "
        f"{taken.added_votes:,} new votes, {taken.already:,} known before or twice, "
        f"{len(taken.unrecognised):,} not recognised"
    ]
    if taken.waiting:
        lines.append(f"{len(taken.waiting):,} wait to be looked up at arXiv, with the next fetch")
    if followed := _named(brought.followed):
        lines.append(f"now followed: {followed}")
    elif suggested := _named(taken.suggested):
        lines.append(f"suggested interests, which --interests adds: {suggested}")
    return lines


def _named(interests: "Suggested") -> str:
    return ", ".join((*interests.keywords, *interests.authors))
