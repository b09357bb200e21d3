"""Pretend services joined behind one address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.routing import BaseRoute


def site(*services: Iterable[BaseRoute]) -> Starlette:
    """Return an application that serves the routes of all services; the first match wins."""
    return Starlette(routes=[route for service in services for route in service])
