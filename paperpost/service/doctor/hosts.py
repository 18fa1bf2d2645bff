"""How the hosts of the sources answer, and whether they want to be asked."""

from collections.abc import Iterator

from paperpost.service import asked
from paperpost.service.asked import AskedHost
from paperpost.service.doctor.checks import Check, ok, warn
from paperpost.service.installation import Installation

# One failure happens; one in so many is a host in trouble, or one that does not want us.
ONE_IN = 4


def hosts(installation: Installation) -> Iterator[Check]:
    """A check for each host that was asked in the last day."""
    found = asked.hosts(installation)
    for host in found:
        said = f"{host.name}: {host.sentence}"
        is_bad = host.closed_until is not None or _fails_often(host)
        yield warn("requests", said) if is_bad else ok("requests", said)
    if not found:
        yield ok("requests", "no source was asked in 24 hours")


def _fails_often(host: AskedHost) -> bool:
    return host.failed > 1 and host.failed * ONE_IN >= host.requests
