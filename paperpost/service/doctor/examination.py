"""Every check in turn; those that wait for others, side by side."""

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeAlias

from mailer.smtp import parse_smtp_url
from paperpost.service import wishes
from paperpost.service.doctor import home, hosts, letter, network, records, sharing, work
from paperpost.service.doctor.checks import Check, Examiner, fail, gathered
from paperpost.service.doctor.names import Names
from paperpost.service.failures import FAILURES
from paperpost.service.installation import Installation, dkim_signer
from paperpost.settings import load_settings
from paperpost.store.database import Database

AT_ONCE = 8
Look: TypeAlias = Callable[[Installation], Iterable[Check]]


def _nothing(_installation: Installation) -> Iterable[Check]:
    """For who has no engine to look at."""
    return ()


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, in the order in which it is told."""

    checks: list[Check]

    @property
    def failed(self) -> int:
        """How many checks say that something has to be put right."""
        return sum(check.state == "fail" for check in self.checks)

    @property
    def document(self) -> dict[str, Any]:
        """For machines: `checks` with name, state and detail, and whether all is `healthy`."""
        return {"checks": [asdict(check) for check in self.checks], "healthy": not self.failed}


def examine(mail_to: str | None = None, engine: Look = _nothing) -> Report:
    """Examine the installation of the settings as they stand, its engine too; with `mail_to`, send
    a test mail.

    Raises InvalidWish for what is no address; whatever else is wrong is a failed check.
    """
    address = None if mail_to is None else wishes.address(mail_to)
    try:
        settings = load_settings()
        dkim_signer(settings)
        if settings.smtp_url is not None:
            parse_smtp_url(settings.smtp_url)
        database = Database(settings.store_url)
    except FAILURES as error:
        return Report([fail("settings", str(error))])
    installation = Installation(settings, database)
    try:
        return examine_installation(installation, Names(), address, engine)
    finally:
        installation.close()


def examine_installation(
    installation: Installation,
    names: Names,
    mail_to: str | None = None,
    engine: Look = _nothing,
) -> Report:
    """All checks; but those of this machine alone if its database cannot be used."""
    checks = gathered(_basics(installation), at_once=1)
    if any(check.name == "database" and check.state == "fail" for check in checks):
        return Report(checks)
    checks += gathered(_store(installation), at_once=1)
    looks: list[tuple[str, Examiner]] = [("engine", partial(engine, installation))]
    checks += gathered(looks + _network(installation, names), at_once=AT_ONCE)
    if mail_to is not None:
        test = partial(letter.send_test, installation, mail_to)
        checks += gathered([("test mail", test)], at_once=1)
    return Report(checks)


def _basics(installation: Installation) -> list[tuple[str, Examiner]]:
    return [
        ("settings", partial(home.variables, os.environ, installation.settings)),
        ("disk", partial(home.disk, installation.settings)),
        ("database", partial(home.database, installation)),
    ]


def _store(installation: Installation) -> list[tuple[str, Examiner]]:
    return [
        ("key", partial(home.key, installation)),
        ("model", partial(home.model, installation)),
        ("source", partial(work.sources, installation)),
        ("requests", partial(hosts.hosts, installation)),
        ("shared models", partial(sharing.models, installation)),
        ("ticks", partial(sharing.ticking, installation)),
        ("clock", partial(sharing.clock, installation)),
        ("pool", partial(sharing.way, installation)),
        ("digests", partial(work.digests, installation)),
        ("deliveries", partial(work.deliveries, installation)),
        ("throttle", partial(work.throttled, installation)),
        ("bounces", partial(home.bounce_folder, installation.settings)),
    ]


def _network(installation: Installation, names: Names) -> list[tuple[str, Examiner]]:
    looks: list[tuple[str, Examiner]] = [
        ("site", partial(network.site, installation.settings)),
        ("mail", partial(network.mail_server, installation)),
    ]
    if installation.settings.smtp_url is None:
        return looks
    sender = network.sender(installation.settings)
    looks.append(("sender", lambda: [sender]))
    return looks if sender.state == "fail" else looks + records.examiners(installation, names)
