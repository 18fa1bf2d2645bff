"""Which addresses a source may lead to: the public internet, unless the caller allows more."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.request import getproxies, proxy_bypass

import httpx

from paperpost.sources.errors import ForbiddenAddress, RequestFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# RFC 6052: an IPv4 address as hosts without IPv4 write it.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def refuse_private_host(url: httpx.URL) -> None:
    """Before asking: raise ForbiddenAddress if any address of the host is not public.

    Behind a proxy names are the proxy's to resolve, and only written addresses are checked.
    """
    refuse_written_private(url)
    if _address(url.host) is None and not _goes_by_proxy(url):
        _refuse_private(url, _resolved(url))


def refuse_written_private(url: httpx.URL) -> None:
    """The same, of what can be told without looking a name up."""
    if url.host == "localhost" or url.host.endswith(".localhost"):
        raise _forbidden(url)
    written = _address(url.host)
    _refuse_private(url, [written] if written else [])


def refuse_private_peer(url: httpx.URL, peer: tuple[str, int] | None) -> None:
    """After connecting: the same, of the address really reached (a name may have moved)."""
    address = _address(peer[0]) if peer and not _goes_by_proxy(url) else None
    _refuse_private(url, [address] if address else [])


def _refuse_private(url: httpx.URL, addresses: Iterable[Address]) -> None:
    if not all(map(_is_public, addresses)):
        raise _forbidden(url)


def _forbidden(url: httpx.URL) -> ForbiddenAddress:
    return ForbiddenAddress(str(url), f"{url.host} is not on the public internet")


def _goes_by_proxy(url: httpx.URL) -> bool:
    proxies = getproxies()
    return any(name in proxies for name in (url.scheme, "all")) and not proxy_bypass(url.host)


def _resolved(url: httpx.URL) -> list[Address]:
    try:
        infos = socket.getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RequestFailed(str(url), f"the name {url.host} cannot be resolved") from error
    return [address for info in infos if (address := _address(str(info[4][0])))]


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        else:
            address = address.ipv4_mapped or address.sixtofour or address
    return address.is_global and not address.is_multicast
