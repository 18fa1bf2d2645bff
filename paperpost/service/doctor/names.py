"""Asking name servers, within seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paperpost.errors import PaperpostError

if TYPE_CHECKING:
    from dns.resolver import Resolver

SECONDS = 5.0


class CannotAsk(PaperpostError):
    """No name server gave an answer, not even that there is none."""


class Names:
    """The name servers of this machine, or those of the resolver; each look-up ends in seconds."""

    def __init__(self, resolver: Resolver | None = None, seconds: float = SECONDS) -> None:
        self._resolver = resolver
        self._seconds = seconds

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name, each in one piece. Raises CannotAsk."""
        return [
            b"".join(record.strings).decode("utf-8", "replace")
            for record in self._records(name, "TXT")
        ]

    def mail_servers(self, domain: str) -> list[str]:
        """The hosts that take mail for a domain; "." is a host that stands for none (RFC 7505)."""
        return [str(record.exchange) for record in self._records(domain, "MX")]

    def has_address(self, host: str) -> bool:
        """Whether a host has an address of either kind."""
        return any(self._records(host, kind) for kind in ("A", "AAAA"))

    def _records(self, name: str, kind: str) -> list[Any]:
        from dns.exception import DNSException
        from dns.resolver import NXDOMAIN, NoAnswer, Resolver

        try:
            self._resolver = self._resolver or Resolver()
            return list(self._resolver.resolve(name, kind, lifetime=self._seconds, search=False))
        except (NXDOMAIN, NoAnswer):
            return []
        except DNSException as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise CannotAsk(f"{name} could not be looked up: {reason[:200]}") from error
