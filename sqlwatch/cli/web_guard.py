"""Who may talk to the browser view: pure rules over the headers of a request."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Guard:
    """Refuses requests that only seem to come from the person at this machine, or that lack the token."""

    token: str | None
    """What a request must know; None for a server that only this machine reaches."""

    def refusal(self, *, host: str, origin: str | None, tokens: tuple[str, ...], is_websocket: bool) -> str | None:
        """Return why a request is refused, or None.

        `host` and `origin` are the headers of these names; `tokens` are those that the request brings along, in its
        address or as a cookie.
        """
        if self.token is None:
            # A page elsewhere can have its own name lead to 127.0.0.1 (DNS rebinding), but the name gives it away.
            if not is_loopback_name(host):
                return f"This address is only for this machine, and {_shown(host)} is no name of it."
        elif not any(hmac.compare_digest(self.token.encode(), token.encode("utf-8", "replace")) for token in tokens):
            return "The token is missing or wrong; use the address that sqlwatch printed."
        # A websocket may be opened by any page whatever; only the page that this server gave out is meant.
        if origin not in (f"http://{host}", f"https://{host}") and (is_websocket or origin is not None):
            return "This page comes from somewhere else."
        return None


def is_loopback_name(host: str) -> bool:
    """Tell whether the name in a Host header (a port may follow) can only be this machine.

    >>> [is_loopback_name(host) for host in ("localhost:8765", "127.0.0.1", "[::1]:80", "localhost.example.org")]
    [True, True, True, False]
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _shown(host: str) -> str:
    return host if host and host.isprintable() else "an empty name"
