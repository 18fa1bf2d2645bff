"""The operator's commands about mail, one function each: preview, resend, bounce, doctor."""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperpost.terminal import AsJson, Email, a_date, fail, opened, say, show

if TYPE_CHECKING:
    from paperpost.service.bounce import Taken

SIGNS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def register(app: typer.Typer) -> None:
    """Add these commands to the others."""
    for command in (preview, resend, bounce, doctor):
        app.command()(command)


def preview(
    email: Email,
    output: Annotated[
        Path | None,
        typer.Option(help="Where; one that ends in .html gets that part alone [preview-….eml]."),
    ] = None,
    on: Annotated[
        date | None,
        typer.Option("--on", parser=a_date, metavar="DATE", help="The digest's date [the next]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The mail that a subscriber would get next, as a file; sends and stores nothing."""
    from paperpost.service.preview import preview as compose

    with opened() as installation:
        shown = compose(installation, email, on)
    file = None
    if shown.data is not None:
        file = output or Path(f"preview-{shown.email.replace('/', '_')}-{shown.date}.eml")
        _write(file, shown.html.encode() if file.suffix == ".html" else shown.data)
    for remark in (shown.silence if file else "", shown.obstacle):
        if remark:
            say(f"{shown.email}, {shown.date}: {remark}")
    document = {
        "file": file and str(file),
        "subject": shown.subject,
        "date": shown.date.isoformat(),
        "papers": list(shown.papers),
        "silence": shown.silence,
    }
    nothing = f"no mail: {shown.silence}"
    show(as_json, document, nothing if file is None else f"{shown.subject}\n{file}")


def _write(file: Path, data: bytes) -> None:
    """As the mails that are files: plain line ends, and nobody else's business, for its links are
    the subscriber's."""
    file.touch(mode=0o600)
    file.write_bytes(data.replace(b"\r\n", b"\n"))


def resend(
    email: Email,
    day: Annotated[date, typer.Argument(parser=a_date, metavar="DATE", help="The digest's date.")],
    as_json: AsJson = False,
) -> None:
    """Queue a digest again, on purpose: the same mail with the same Message-ID."""
    from paperpost.service.resend import resend as again

    with opened() as installation:
        done = again(installation, email, day)
    text = (
        f"{done.email}'s digest of {done.date} (it was {done.was}) is queued again: `paperpost "
        "send`, or a running `work`, delivers it. It has the same Message-ID: a mail program that "
        "kept the first one may show one of the two."
    )
    show(as_json, asdict(done), text)


def bounce(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="A message each [standard input].")
    ] = None,
    forgive: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Mail to that address again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in mail that came back, as a mail server hands it on.

    A report that means nothing to us ends with status 0, too. Where one on standard input cannot
    be taken in now, 75 tells the mail server to try again later.
    """
    if forgive is not None and files:
        raise typer.BadParameter("give either files or --forgive")
    if forgive is not None:
        _forgive(forgive, as_json)
        return
    from paperpost.service.failures import FAILURES

    try:
        taken = _take_in(files or [])
    except (*FAILURES, OSError) as error:
        if files:
            raise
        say(f"paperpost: {error}")
        raise typer.Exit(os.EX_TEMPFAIL) from error
    outcomes = [one["outcome"] for one in taken]
    counts = {word: outcomes.count(word) for word in ("counted", "ignored")}
    show(as_json, {**counts, "messages": taken}, "\n".join(map(_line, taken)))


def _take_in(files: Sequence[Path]) -> list[dict[str, Any]]:
    from paperpost.service.bounce import take

    with opened() as installation:
        if not files:
            return [_told(take(installation, sys.stdin.buffer.read()))]
        return [
            {"file": str(file), **_told(take(installation, file.read_bytes()))} for file in files
        ]


def _told(taken: "Taken") -> dict[str, Any]:
    return {"outcome": taken.word, **asdict(taken)}


def _line(taken: dict[str, Any]) -> str:
    told = [taken["kind"], taken["status"], taken["effect"], taken["reason"]]
    return f"{taken['outcome']}: {', '.join(filter(None, told))}"


def _forgive(email: str, as_json: bool) -> None:
    from paperpost.service.bounce import forgive

    with opened() as installation:
        forgiven = forgive(installation, email)
    text = "is mailed again" if forgiven else "was mailed all the time"
    show(as_json, {"email": email, "forgiven": forgiven}, f"{email} {text}")


def doctor(
    mail: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Send a test mail there as well.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Is this installation healthy, and will its mail arrive?"""
    from paperpost.engine.examination import examine as examine_engine
    from paperpost.service.doctor.examination import examine
    from paperpost.service.wishes import InvalidWish

    try:
        report = examine(mail, examine_engine)
    except InvalidWish as error:
        raise typer.BadParameter(str(error)) from error
    lines = [f"{SIGNS[check.state]}  {check.name:<10}  {check.detail}" for check in report.checks]
    show(as_json, report.document, "\n".join(lines))
    if report.failed:
        fail(f"{report.failed} of {len(report.checks)} checks failed")
