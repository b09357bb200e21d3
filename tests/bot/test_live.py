from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from bot.live import run_live
from market.errors import TicktalkError
from tests.packaged import packaged_config

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_without_a_token_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = packaged_config()
    shown: list[str] = []
    with pytest.raises(TicktalkError, match="no Telegram token: get one from @BotFather"):
        asyncio.run(run_live(config, None, asyncio.Event(), shown.append))
    assert os.listdir(tmp_path) == []
    assert shown == []
