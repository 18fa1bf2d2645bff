"""How the commands speak: what their arguments are called, and where their words go.

Results go to stdout, progress to stderr; with `--json` stdout holds one JSON document.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, NoReturn

import typer

from paperpost.service.installation import Installation, open_installation
from paperpost.settings import checked_engine, load_settings

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Email = Annotated[str, typer.Argument(help="A subscriber's address.")]


def a_date(text: str) -> date:
    """A date as a person types it."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date like 2026-04-01") from error


def an_engine(text: str) -> str:
    """An engine as it is named in the settings."""
    try:
        return checked_engine(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def say(line: str) -> None:
    """One line of progress, or of what is wrong."""
    typer.echo(line, err=True)


def show(as_json: bool, document: Any, text: str) -> None:
    """The result, for a machine or for a person."""
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
    elif text:
        typer.echo(text)


def show_ingested(as_json: bool, document: dict[str, Any]) -> None:
    """What was taken in, and how many records were rejected; those are in `document`."""
    for rejected in document["rejected"][:20]:
        what = f"record {rejected['record']} of " if rejected["record"] else "not read: "
        say(f"{what}{rejected['file']}: {rejected['reason']}")
    if len(document["rejected"]) > 20:
        say(f"and {len(document['rejected']) - 20} more")
    counts = {name: document[name] for name in ("added", "updated", "skipped")}
    counts["rejected"] = sum(1 for rejected in document["rejected"] if rejected["record"])
    show(as_json, document, ", ".join(f"{number} {name}" for name, number in counts.items()))


def fail(line: str) -> NoReturn:
    """End with status 1; the line says why."""
    say(f"paperpost: {line}")
    raise typer.Exit(1)


@contextmanager
def opened(tell: Callable[[str], None] = say) -> Iterator[Installation]:
    """The installation of the settings, for as long as a command takes."""
    command = " ".join(sys.argv[1:2])
    installation = open_installation(load_settings(), command=command, say=tell)
    try:
        yield installation
    finally:
        installation.close()
