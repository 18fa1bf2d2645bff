"""A real name server on loopback that knows what it is told."""

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.rdatatype import to_text
from dns.resolver import Resolver

Zone = Mapping[tuple[str, str], list[str]]


class _Server(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, zone: Zone) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.zone = zone


class _Answer(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, answers_to = self.request
        assert isinstance(self.server, _Server)
        query = dns.message.from_wire(wire)
        asked = query.question[0]
        name, kind = str(asked.name).rstrip("."), to_text(asked.rdtype)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        records = self.server.zone.get((name, kind), [])
        if records:
            reply.answer.append(dns.rrset.from_text_list(asked.name, 60, "IN", kind, records))
        elif not any(known == name for known, _ in self.server.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        answers_to.sendto(reply.to_wire(), self.client_address)


@contextmanager
def name_server(zone: Zone) -> Iterator[Resolver]:
    """A resolver that asks a server with these records, by name and type, as in a zone file."""
    with _Server(zone) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
        try:
            yield resolver
        finally:
            server.shutdown()
            thread.join()


def quoted(text: str) -> str:
    """A TXT record as a zone file has it, in pieces of at most 255 characters."""
    return " ".join(f'"{text[i : i + 200]}"' for i in range(0, len(text), 200))
