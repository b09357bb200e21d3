"""The KIS broker keeps what every broker of a real venue promises."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.brokers.kis_venue import KisVenue, kis_venue
from tests.contracts.foreign_contract import ForeignContract

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path


class TestKisBroker(ForeignContract):
    """An account at the real server."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.folder = tmp_path
        # as bot/logs.py does: httpx tells every address, and KIS's queries name the account
        caplog.set_level(logging.WARNING, "httpx")

    def venue(self) -> AbstractAsyncContextManager[KisVenue]:
        return kis_venue(self.folder)
