from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bot.app import App, Outside, build
from bot.app_brokers import broker_names
from bot.events import EventLog
from bot.market_time import UnscaledTime
from bot.plugins import compile_config, compile_library, load_plugins
from config.load import Config, load, write_folder
from config.settings import BrokerSettings
from engine.sources import Sources
from market.clock import SystemClock
from market.errors import ConfigError, StoreLocked, TicktalkError
from market.store import Store
from market.types import Tick, Venue
from tests.packaged import packaged_config

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from crawlers.source import Hear
    from market.types import Bar, InstrumentId


TOKEN = "1:abc"


def config(folder: Path, *, token: str | None = TOKEN) -> Config:
    """Return the packaged configuration with a store of the test's own."""
    packaged = packaged_config()
    settings = packaged.settings
    secret = None if token is None else SecretStr(token)
    return replace(
        packaged,
        settings=settings.model_copy(
            update={
                "store": settings.store.model_copy(update={"path": str(folder / "x.sqlite")}),
                "telegram": settings.telegram.model_copy(update={"token": secret}),
            }
        ),
    )


def built(written: Config) -> App:
    wall = SystemClock()
    return build(written, Outside(wall, UnscaledTime(wall), EventLog(wall)))


def written(folder: Path, environ: dict[str, str], **settings: str) -> Config:
    """Return a folder's configuration with sections put at the end of its settings."""
    write_folder(folder)
    path = folder / "settings.yaml"
    lines = [f"{section}: {text}\n" for section, text in settings.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return load(path, environ)


def test_a_bot_is_built_and_gives_everything_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = built(config(tmp_path))
        assert app.services.pipeline.conditions
        await app.close()

    asyncio.run(scenario())
    Store.open(tmp_path / "x.sqlite").close()


def test_a_second_bot_on_the_same_database_is_told_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        app = built(config(tmp_path))
        try:
            with pytest.raises(StoreLocked, match="another"):
                built(config(tmp_path))
        finally:
            await app.close()

    asyncio.run(scenario())


def test_a_build_that_fails_gives_the_database_back(tmp_path: Path) -> None:
    with pytest.raises(TicktalkError, match="token"):
        built(config(tmp_path, token=None))
    Store.open(tmp_path / "x.sqlite").close()


def test_unknown_plugins_and_bad_conditions_are_found_together(tmp_path: Path) -> None:
    here = written(tmp_path, {}, crawl="{source: navr}", broker="{name: papper}")
    condition = here.folder / "conditions" / "bad.yaml"
    condition.write_text(
        "name: bad\nuniverse: [KRX:005930]\ntimeframe: 5m\nwhen: rsy(14) > 3\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        compile_config(load(here.folder / "settings.yaml", {}))
    text = str(caught.value)
    assert "settings.yaml:1:17: crawl.source: unknown source 'navr'; did you mean 'naver'?" in text
    assert "settings.yaml:2:16: broker.name: unknown broker 'papper'; did you mean" in text
    assert "bad.yaml:4:7" in text


def test_a_broker_is_not_let_to_a_venue_where_it_does_not_trade(tmp_path: Path) -> None:
    here = written(tmp_path, {}, crawl="{every_seconds: 5}", broker="{upbit: kis, krx: ki}")
    with pytest.raises(ConfigError) as caught:
        compile_config(here)
    text = str(caught.value)
    assert "settings.yaml:2:17: broker.upbit: kis does not trade at UPBIT; name paper or" in text
    assert "broker.krx: unknown broker 'ki'; did you mean 'kis'?" in text


def test_brokers_trade_at_the_venues_that_are_theirs() -> None:
    load_plugins()
    assert broker_names(BrokerSettings()) == dict.fromkeys(Venue, "paper")
    assert broker_names(BrokerSettings(name="kis", upbit="paper")) == {
        Venue.KRX: "kis",
        Venue.UPBIT: "paper",
    }
    assert broker_names(BrokerSettings(name="upbit")) == {Venue.UPBIT: "upbit"}


def test_what_is_off_is_not_watched_but_must_compile(tmp_path: Path) -> None:
    here = written(tmp_path, {}, crawl="{every_seconds: 5}")
    condition = here.folder / "conditions" / "off.yaml"
    text = "name: off\nenabled: false\nuniverse: all\ntimeframe: 5m\nwhen: close > 3\n"
    condition.write_text(text, encoding="utf-8")
    again = load(here.folder / "settings.yaml", {})
    assert "off" not in [one.name for one in compile_config(again)]
    assert "off" in [one.name for one in compile_library(again)]
    condition.write_text(text.replace("close", "clos"), encoding="utf-8")
    with pytest.raises(ConfigError, match="unknown name 'clos'"):
        compile_config(load(here.folder / "settings.yaml", {}))


def test_an_unknown_plugin_in_the_environment_is_placed_there(tmp_path: Path) -> None:
    here = written(tmp_path, {"TICKTALK_CRAWL_SOURCE": "yahoo"}, crawl="{every_seconds: 5}")
    with pytest.raises(ConfigError, match="environment variable TICKTALK_CRAWL_SOURCE"):
        compile_config(here)


class Telling:
    """A source that tells what a test lets it tell."""

    def listen(self, hear: Hear) -> None:
        self.hear = hear

    def live(self) -> frozenset[InstrumentId]:
        return frozenset({"KRX:005930"})

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        raise NotImplementedError(instruments)

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        raise NotImplementedError(instrument, start, end)


def test_prices_that_a_source_tells_by_itself_reach_the_desk(tmp_path: Path) -> None:
    async def scenario() -> None:
        wall, source = SystemClock(), Telling()
        outside = Outside(wall, UnscaledTime(wall), EventLog(wall))
        app = build(config(tmp_path), outside, sources=Sources.of(source, wall))
        now = wall.now()
        source.hear([Tick("KRX:005930", now, now, 70_000.0, volume=1.0)])
        tick = app.services.quotes.last("KRX:005930")
        assert tick is not None
        assert tick.price == 70_000
        assert app.services.live_prices() == {"KRX:005930"}
        await app.close()

    asyncio.run(scenario())
