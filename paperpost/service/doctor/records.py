"""What the DNS says about the domain that mails come from: SPF, DKIM, DMARC, and where bounces go.

Gmail, Yahoo and Microsoft refuse bulk mail without the first three.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial

from paperpost.service.doctor.checks import Check, Examiner, fail, ok, warn
from paperpost.service.doctor.names import CannotAsk, Names
from paperpost.service.installation import Installation
from paperpost.store.subscribers import domain_of

GOOD_RSA_KEY = 2048
_TAG = re.compile(r"\s*([a-z]+)\s*=\s*([^;]*?)\s*(?:;|$)")


def examiners(installation: Installation, names: Names) -> list[tuple[str, Examiner]]:
    """A look-up for each kind of record; where none can be made, that is what is found."""
    domain = installation.settings.sender_domain
    # What mail servers look up for SPF, and send bounces to, is the envelope's sender.
    envelope = domain_of(installation.settings.bounces or f"@{domain}")
    looks: dict[str, Callable[[], Iterator[Check]]] = {
        "spf": partial(spf, envelope, names),
        "dkim": partial(dkim, installation, names),
        "dmarc": partial(dmarc, domain, names),
        "mx": partial(mx, envelope, names),
    }
    return [(name, partial(_if_it_can_be_asked, name, look)) for name, look in looks.items()]


def _if_it_can_be_asked(name: str, look: Callable[[], Iterator[Check]]) -> list[Check]:
    try:
        return list(look())
    except CannotAsk as error:
        return [warn(name, str(error))]


def spf(domain: str, names: Names) -> Iterator[Check]:
    """Which servers may send for the domain (RFC 7208)."""
    found = [text for text in names.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    if not found:
        yield warn("spf", f"{domain} has no SPF record: publish one that names your mail server")
        return
    if len(found) > 1:
        yield fail("spf", f"{domain} has {len(found)} SPF records, which counts as none: keep one")
        return
    last = found[0].lower().split()[-1]
    if last in ("all", "+all"):
        yield fail("spf", f"{domain} lets everybody send for it: end the record with -all or ~all")
    elif last in ("-all", "~all") or last.startswith("redirect="):
        yield ok("spf", found[0])
    else:
        yield warn("spf", f"{found[0]!r} refuses nobody: end it with -all or ~all")


def dkim(installation: Installation, names: Names) -> Iterator[Check]:
    """Whether the key that signs is the one that is published (RFC 6376)."""
    signer = installation.dkim
    if signer is None:
        domain = installation.settings.sender_domain
        yield warn("dkim", f"not signed here: let your mail server sign for {domain}, or set a key")
        return
    to_publish = f"publish a TXT record {signer.record_name} with: {_in_strings(signer.record)}"
    try:
        found = names.texts(signer.record_name)
    except CannotAsk as error:
        yield warn("dkim", f"{error}; {to_publish}")
        return
    keys = ["".join(_tags(text).get("p", "").split()) for text in found]
    if signer.public_key not in keys:
        yield fail("dkim", f"{'another' if found else 'no'} key is in the DNS: {to_publish}")
    elif len(found) > 1:
        yield fail("dkim", f"{signer.record_name} has {len(found)} records: keep one")
    elif signer.rsa_bits is not None and signer.rsa_bits < GOOD_RSA_KEY:
        yield warn("dkim", f"the key has {signer.rsa_bits} bits: make one of {GOOD_RSA_KEY}")
    else:
        yield ok("dkim", f"{signer.record_name} has our key")


def _in_strings(record: str) -> str:
    """A record as it is written down: a string of a TXT record has 255 octets at most (RFC 1035,
    section 3.3.14), and several are read as one."""
    pieces = [record[start : start + 255] for start in range(0, len(record), 255)]
    return " ".join(f'"{piece}"' for piece in pieces)


def dmarc(domain: str, names: Names) -> Iterator[Check]:
    """What receivers are to do with mail that only pretends to come from the domain (RFC 7489)."""
    labels = domain.split(".")
    for number in range(len(labels) - 1):  # its own record, or that of a domain above it
        name = "_dmarc." + ".".join(labels[number:])
        found = [text for text in names.texts(name) if _tags(text).get("v") == "DMARC1"]
        if len(found) > 1:
            yield fail("dmarc", f"{name} has {len(found)} records, which count as none: keep one")
            return
        if found:
            yield ok("dmarc", f"{name}: {found[0]}")
            return
    yield warn("dmarc", f"none: publish a TXT record _dmarc.{domain} with: v=DMARC1; p=none")


def mx(domain: str, names: Names) -> Iterator[Check]:
    """Whether a bounce can come back: many servers refuse senders that cannot be answered."""
    servers = names.mail_servers(domain)
    if servers and servers != ["."]:
        yield ok("mx", f"bounces go to {', '.join(server.rstrip('.') for server in servers[:3])}")
    elif not servers and names.has_address(domain):
        yield warn("mx", f"{domain} has no MX record; its own address has to take the bounces")
    else:
        yield fail("mx", f"nothing takes mail for {domain}: publish an MX record")


def _tags(text: str) -> dict[str, str]:
    return dict(_TAG.findall(text))
