"""Nothing that KIS's source logs, raises, prints or writes holds a key, a secret or a token."""

from __future__ import annotations

import asyncio
import logging
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import SecretStr

from market.errors import SourceError
from sandbox.kis_faults import Fault
from sandbox.kis_socket import notice
from tests.crawlers.kis_world import APP_KEY, APP_SECRET, KisWorld, kis_world

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    import pytest

SAMSUNG = "KRX:005930"


def kept(folder: Path) -> set[str]:
    """Return every token and websocket key that the token file holds."""
    entries = orjson.loads((folder / "kis_token.json").read_bytes()).values()
    found = [entry[name] for entry in entries for name in ("token", "approval")]
    return {one["value"] for one in found if one is not None}


class Told:
    """Everything that was raised, with its causes, as a log would show it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def ends_badly(self, job: Awaitable[object]) -> None:
        try:
            await job
        except SourceError as error:
            self.texts += traceback.format_exception(error)
            self.texts.append(repr(error))
        else:
            raise AssertionError("expected an error")


async def all_that_goes_wrong(folder: Path, told: Told) -> set[str]:
    """Go through every fault there is; return the secrets that were about."""
    secrets: set[str] = set()
    async with kis_world(folder) as world:
        source = world.source
        await source.ticks([SAMSUNG])
        source.follow([SAMSUNG])
        await world.line.until(lambda: "OPSP0000" in "".join(world.line.heard))
        secrets |= kept(folder)
        for fault in Fault:
            world.faults.fail(fault)
            await told.ends_badly(source.ticks([SAMSUNG]))
        world.faults.fault = None
        world.wire.is_cut = True
        await told.ends_badly(source.ticks([SAMSUNG]))
        world.wire.is_cut = False
        echo = notice("H0STCNT0", "005930", "1", "OPSP0007", " ".join(kept(folder)))
        world.faults.odd += ["{", echo]
        await world.line.until(lambda: echo in world.line.heard)
        world.keys.disown()
        world.faults.drop()
        await world.line.until(lambda: "OPSP0011" in "".join(world.line.heard))
        world.clock.advance(timedelta(minutes=2))
        world.keys.lapse()
        await source.ticks([SAMSUNG])
        secrets |= kept(folder)
        world.keys.lapse()
        await told.ends_badly(source.ticks([SAMSUNG]))
        told.texts += [repr(source), repr(world.settings), str(world.settings)]
    return secrets


async def wrong_keys(folder: Path, told: Told) -> None:
    for name in ("app_key", "app_secret"):
        for value in (SecretStr(f"{APP_KEY}-{APP_SECRET}"), None):
            changes: dict[str, Any] = {name: value}
            async with kis_world(folder, **changes) as world:
                await told.ends_badly(world.source.ticks([SAMSUNG]))
                told.texts.append(repr(world.source))


def test_no_secret_is_told_whatever_goes_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    told = Told()
    with caplog.at_level(logging.DEBUG):
        secrets = asyncio.run(all_that_goes_wrong(tmp_path, told))
        asyncio.run(wrong_keys(tmp_path, told))
    assert len(secrets) >= 3
    formatter = logging.Formatter("%(name)s %(message)s")
    logged = [formatter.format(record) for record in caplog.records]
    written = [
        path.read_text()
        for path in tmp_path.iterdir()
        if path.name not in {"kis_token.json", "kis_token.json.lock"}
    ]
    everything = "\n".join([*told.texts, *logged, *capfd.readouterr(), *written])
    assert "odd headers" in everything  # the answer that repeats what was sent was told
    for secret in (*secrets, APP_KEY, APP_SECRET):
        assert secret not in everything
        assert secret[:40] not in everything


def test_the_token_file_holds_neither_key_nor_secret(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kis_world(tmp_path) as world:
            await use(world)

    async def use(world: KisWorld) -> None:
        await world.source.ticks([SAMSUNG])

    asyncio.run(scenario())
    written = (tmp_path / "kis_token.json").read_text()
    assert APP_KEY not in written
    assert APP_SECRET not in written
