"""What others meet: the site that links lead to, and the mail server."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailer.outcome import Unreachable
from mailer.probe import Welcome, probe
from mailer.smtp import parse_smtp_url
from paperpost.service.doctor.checks import Check, fail, ok, warn
from paperpost.service.installation import Installation
from paperpost.settings import Settings
from paperpost.store import overdue

if TYPE_CHECKING:
    import httpx

SECONDS = 5.0


def site(settings: Settings) -> Iterator[Check]:
    """Whether the links of our mails lead to this program, over https, without a redirect."""
    import httpx

    url = settings.public_url
    is_local = _is_loopback(urlsplit(url).hostname or "")
    try:
        # This machine itself is not behind its proxy.
        answer = httpx.get(f"{url}/healthz", timeout=SECONDS, trust_env=not is_local)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = f"{url} does not answer: {str(error) or type(error).__name__}"
        start = "; is `paperpost serve` running?"
        yield warn("site", what + start) if is_local else fail("site", what + start)
    else:
        yield _site(url, answer)
    if is_local and _mails_leave(settings):
        yield fail("links", f"readers cannot open {url}: set PAPERPOST_PUBLIC_URL")
    elif url.startswith("http:") and not is_local:
        yield warn("links", f"{url} is no https: one-click unsubscription needs it (RFC 8058)")
    else:
        yield ok("links", f"they lead to {url}")


def _site(url: str, answer: httpx.Response) -> Check:
    if answer.is_redirect:
        to = answer.headers.get("location", "elsewhere")
        return fail("site", f"{url} leads on to {to}, which RFC 8058 forbids: set that address")
    if answer.status_code == 503:
        return fail("site", f"{url} answers, but its database does not")
    if answer.status_code != 200 or '"status"' not in answer.text[:200]:
        return fail("site", f"{url} is something else than Paperpost ({answer.status_code})")
    return ok("site", f"{url} answers")


def mail_server(installation: Installation) -> Iterator[Check]:
    """Whether it lets us in, and can take every subscriber's address."""
    settings = installation.settings
    if settings.smtp_url is None:
        yield ok("mail", f"mails are files in {settings.mail_folder}: set PAPERPOST_SMTP_URL")
        return
    welcome = probe(settings.smtp_url, SECONDS)
    if isinstance(welcome, Unreachable):
        yield fail("mail", welcome.reply)
        return
    server = parse_smtp_url(settings.smtp_url)
    how = f"{welcome.tls or 'in the clear'}{', logged in' if server.login else ''}"
    yield ok("mail", f"{server.host}:{server.port}, {how}; {' '.join(welcome.extensions)}")
    yield _any_script(installation, welcome)


def _any_script(installation: Installation, welcome: Welcome) -> Check:
    with installation.database.reading() as session:
        local_parts = (email.rpartition("@")[0] for email in overdue.addresses(session))
        need = sum(not local.isascii() for local in local_parts)
    if need and "SMTPUTF8" not in welcome.extensions:
        many = f"{need:,} subscriber{'s' if need > 1 else ''}"
        return fail("addresses", f"{many} cannot be mailed by a server without SMTPUTF8")
    return ok("addresses", "the server can take every subscriber's")


def sender(settings: Settings) -> Check:
    """Whether mails come from a domain that can be answered."""
    domain = settings.sender_domain
    if "." not in domain:
        return fail("sender", f"no server takes mail from {domain}: set PAPERPOST_FROM")
    return ok("sender", settings.sender)


def _mails_leave(settings: Settings) -> bool:
    """Whether mail is handed to another machine; one of our own may be for trying things out."""
    return settings.smtp_url is not None and not _is_loopback(
        parse_smtp_url(settings.smtp_url).host
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
