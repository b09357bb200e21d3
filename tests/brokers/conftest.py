"""No test of a broker waits between attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import stamina

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def without_pauses() -> Iterator[None]:
    """Retry at once, as often as in earnest."""
    with stamina.set_testing(True, attempts=3):
        yield
