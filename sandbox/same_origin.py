"""Keeps other web pages from reading or typing into the chat page on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.datastructures import Headers

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Host names a browser may use for this page: any other one can be a rebound DNS name."""


def host_name(host: str) -> str:
    """Return a Host header without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def is_known_host(headers: Headers, names: frozenset[str] = LOOPBACK_NAMES) -> bool:
    """Return whether the browser meant this machine."""
    return host_name(headers.get("host", "")) in names


def is_same_origin(headers: Headers, names: frozenset[str] = LOOPBACK_NAMES) -> bool:
    """Return whether our own page asks: browsers name the asking page in Origin, and must here."""
    return is_known_host(headers, names) and headers.get("origin") in {
        f"http://{headers['host']}",
        f"https://{headers['host']}",
    }
