"""What the guards need to know of a request to the API before anybody reads it."""

from starlette.datastructures import Headers
from starlette.types import Scope

PREFIX = "/api/"
# What is behind a token; elsewhere a token is not looked at.
OPERATORS = "/api/operator"
OWN = ("/api/me", OPERATORS)
LIBRARY = "/api/me/library"


def is_api(scope: Scope) -> bool:
    """Whether a request is to the API: it is answered with JSON, errors too."""
    return bool(scope["path"].startswith(PREFIX))


def is_operators(scope: Scope) -> bool:
    """Whether it is about what the operator alone is told."""
    return bool(scope["path"].startswith(OPERATORS))


def bearer(scope: Scope) -> str:
    """The token that a request to the API shows (RFC 6750, section 2.1), or an empty text."""
    if not scope["path"].startswith(OWN):
        return ""
    scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
