"""The Upbit broker keeps what brokers of real venues promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.brokers.upbit_venue import COIN, UpbitVenue, upbit_venue
from tests.contracts.foreign_contract import ForeignContract

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path


class TestUpbit(ForeignContract):
    instrument = COIN

    @pytest.fixture(autouse=True)
    def _path(self, tmp_path: Path) -> None:
        self.path = tmp_path

    def venue(self) -> AbstractAsyncContextManager[UpbitVenue]:
        return upbit_venue(self.path)
