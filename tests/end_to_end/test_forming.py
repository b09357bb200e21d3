"""A condition that is judged while bars form: its alert says so, and its why tells the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from config.load import write_folder

if TYPE_CHECKING:
    from pathlib import Path

Open = Callable[..., AbstractAsyncContextManager[Any]]

TEXT = (
    "name: early-bird\ndescribe: looks before the close\nuniverse: [KRX:005930]\ntimeframe: 5m\n"
    "when: close > 0\nfire: every bar\nintrabar: true\n"
)


def test_an_early_alert_is_labelled_and_its_close_is_told(house: Open, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    write_folder(folder)
    for shipped in (folder / "conditions").glob("*.yaml"):
        if not shipped.name.startswith("_"):
            shipped.unlink()
    (folder / "conditions" / "early_bird.yaml").write_text(TEXT, encoding="utf-8")

    async def scenario() -> None:
        async with house(folder) as here:
            await here.sweep_until(lambda: early(here))
            (alert,) = early(here)
            assert alert.text.startswith("⚡ 봉 마감 전 — 마감 때 달라질 수 있어요.")
            (signal,) = await here.app.store.read(lambda tx: tx.signals.recent(1))
            assert (signal.is_intrabar, signal.has_held) == (True, None)
            assert signal.fired_at < signal.bar_start + signal.timeframe.length
            (answer,) = await here.type("/why early-bird 005930")
            assert "아직 마감 전이라 달라질 수 있어요" in answer.text
            (answer,) = await here.type("왜", reply_to=alert.id)
            assert "마감 때 어땠는지는 아직 몰라요" in answer.text
            await here.sweep_until(lambda: len(early(here)) == 2)
            (answer,) = await here.type("왜", reply_to=alert.id)
            assert "마감 때도 조건이 맞았어요" in answer.text

    asyncio.run(scenario())


def early(here: Any) -> list[Any]:
    """Return the alerts that were given before the close; the bar of the start gives none."""
    return [one for one in here.said() if one.photo is not None and "⚡" in one.text]
