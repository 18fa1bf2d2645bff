"""Which addresses a source may lead to: the public internet, unless the caller allows more."""

import ipaddress
import socket
from urllib.request import getproxies

import httpx

from paperpost.sources.errors import ForbiddenAddress, RequestFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def refuse_private_host(url: httpx.URL) -> None:
    """Before asking: raise ForbiddenAddress if any address of the host is not public.

    Behind a proxy names are the proxy's to resolve, and only written addresses are checked.
    """
    written = _address(url.host)
    if written is None and getproxies():
        return
    for address in [written] if written else _resolved(url):
        if not _is_public(address):
            raise ForbiddenAddress(str(url), f"{url.host} is not on the public internet")


def refuse_private_peer(response: httpx.Response) -> None:
    """After connecting: the same, of the address really reached (a name may have moved)."""
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream else None
    address = _address(peer[0]) if peer and not getproxies() else None
    if address and not _is_public(address):
        url = response.request.url
        raise ForbiddenAddress(str(url), f"{url.host} is not on the public internet")


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
        address = address.ipv4_mapped or address.sixtofour or address
    return address.is_global and not address.is_multicast
