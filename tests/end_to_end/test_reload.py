"""Condition files are edited under a running bot: over real HTTP, and in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from bot.demo_world import CHANNEL
from config.load import write_folder

if TYPE_CHECKING:
    from pathlib import Path

Open = Callable[..., AbstractAsyncContextManager[Any]]

WATCH = (
    "name: any-move\ndescribe: watches closely\nuniverse: [KRX:005930]\ntimeframe: 1m\n"
    "when: close > 0\nfire: every bar\n"
)


def edit(folder: Path, text: str, name: str = "any_move.yaml") -> None:
    (folder / "conditions" / name).write_text(text, encoding="utf-8")


async def looked(here: Any) -> list[str]:
    """Look three times and return what was said."""
    known = len(here.said())
    for _ in range(3):
        await here.app.reloader.look()
    await here.app.outbox.drain()
    return [one.text for one in here.said()[known:]]


def test_an_edit_is_live_at_the_next_bar_and_a_bad_one_says_why(
    house: Open, tmp_path: Path
) -> None:
    folder = tmp_path / "config"
    write_folder(folder)

    async def scenario() -> None:
        async with house(folder) as here:
            await here.sweep()
            assert await looked(here) == []
            edit(folder, WATCH)
            (said,) = await looked(here)
            assert "any-move" in said
            assert "any-move" in (await here.type("/conditions"))[0].text
            await here.sweep_until(lambda: "any-move" in alerts(here))
            edit(folder, WATCH.replace("close > 0", "clsoe > 0"))
            (said,) = await looked(here)
            assert "conditions/any_move.yaml:5:7" in said
            assert "'close'" in said
            known = alerts(here).count("any-move")
            await here.sweep_until(lambda: alerts(here).count("any-move") > known)
            (folder / "conditions" / "any_move.yaml").unlink()
            (said,) = await looked(here)
            assert "any-move" in said
            assert "any-move" not in (await here.type("/conditions"))[0].text
            known = alerts(here).count("any-move")
            for _ in range(12):
                await here.sweep()
            assert alerts(here).count("any-move") == known

    asyncio.run(scenario())


def alerts(here: Any) -> str:
    """Return all that the channel reads."""
    return "\n".join(one.text for one in here.said(CHANNEL))


DEMO = [sys.executable, "-c", "from bot.cli import main; main()", "demo"]
DEADLINE_SECONDS = 60.0


def test_a_running_demo_takes_an_edit_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    write_folder(folder)

    async def scenario() -> None:
        process = await asyncio.create_subprocess_exec(
            *DEMO,
            *("--config", str(folder), "--no-open", "--port", "0", "--json-log", "-"),
            stdout=asyncio.subprocess.PIPE,
            cwd=tmp_path,
        )
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await event(process, "ticks")
                edit(folder, WATCH)
                assert (await event(process, "reload"))["added"] == ["any-move"]
                edit(folder, WATCH.replace("fire", "fyre"))
                error = await event(process, "error")
                assert "any_move.yaml:6:1" in error["problems"][0]
        finally:
            process.terminate()
            await process.communicate()

    asyncio.run(scenario())


async def event(process: asyncio.subprocess.Process, kind: str) -> dict[str, Any]:
    """Return the next event of a kind."""
    assert process.stdout is not None
    async for line in process.stdout:
        if line.startswith(b"{"):
            found: dict[str, Any] = json.loads(line)
            if found["event"] == kind:
                return found
    raise EOFError(f"the process ended without '{kind}'")
