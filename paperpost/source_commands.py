"""The operator's command about what was asked of the sources: requests."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperpost.terminal import AsJson, opened, show

if TYPE_CHECKING:
    from paperpost.store.tables import Request


def register(app: typer.Typer) -> None:
    """Add this command to the others."""
    app.command()(requests)


def requests(
    host: Annotated[
        str | None, typer.Option(help="Those to this host and its aliases, like arxiv.org [all].")
    ] = None,
    last: Annotated[int, typer.Option(min=0, max=20_000, help="So many requests.")] = 20,
    as_json: AsJson = False,
) -> None:
    """What was asked of the sources and how they answered, the newest last."""
    from paperpost.service import asked

    with opened() as installation:
        hosts = [
            one
            for one in asked.hosts(installation)
            if host is None or asked.same_host(one.name, host)
        ]
        newest = asked.newest(installation, last, host)[::-1]
    lines = [f"{one.name}: {one.sentence}" for one in hosts] + list(map(_line, newest))
    document = {
        "hosts": [one.document for one in hosts],
        "requests": [_document(request) for request in newest],
    }
    show(as_json, document, "\n".join(lines) or "no source was asked yet")


def _line(request: "Request") -> str:
    status = "---" if request.status is None else str(request.status)
    said = f"  {request.said}" if request.said else ""
    size = f"{request.size / 1000:,.0f} kB"
    return (
        f"{_second(request.asked_at)}  {status}  {size:>9}  {request.seconds:5.1f} s  "
        f"{request.url}{said}"
    )


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _document(request: "Request") -> dict[str, Any]:
    return {
        "asked_at": request.asked_at.isoformat(),
        "host": request.host,
        "url": request.url,
        "status": request.status,
        "size": request.size,
        "seconds": round(request.seconds, 3),
        "said": request.said,
    }
