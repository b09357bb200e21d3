"""The one place where real objects are built and joined."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from bot.access import Access
from bot.app_brokers import build_brokers, close_brokers, fed_by_the_market
from bot.app_sources import build_sources, open_record
from bot.app_universes import build_universes
from bot.charts import SignalCharts
from bot.command import bot_commands
from bot.dispatch import Dispatcher
from bot.outbox import Outbox
from bot.patience import Patience
from bot.plugins import compile_config, members_of
from bot.reload import Reloader
from bot.render import ChatCards
from bot.second_factor import SecondFactor
from bot.services import Services
from bot.telegram import TelegramBot
from bot.telegram_messenger import TelegramMessenger
from bot.texts import LANGUAGES, Texts
from bot.universe_job import UniverseJob
from bot.universe_members import KnownMembers, with_stored_universes
from bot.watch import PipelineWatch
from brokers.broker import BrokerParts
from engine.desk import Desk
from engine.desk_owner import claim_venues
from engine.fire import Fire
from engine.parts import Parts
from engine.pipeline import Pipeline
from engine.quotes import Quotes
from engine.repair import Repairs
from engine.series import build_series
from engine.watched import Watched
from market.errors import SourceError
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.market_time import MarketTime
    from conditions.compile import Condition
    from config.load import Config
    from engine.ports import Events
    from engine.sources import Sources
    from market.clock import Clock
    from market.record import RawRecord

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outside:
    """What is outside the process: the machine's time, the market's time, the log of facts."""

    wall: Clock
    market: MarketTime
    events: Events


@dataclass(frozen=True, slots=True)
class App:
    """A bot with all its parts; `close` gives everything back."""

    services: Services
    pipeline: Pipeline
    repairs: Repairs
    universes: UniverseJob
    reloader: Reloader
    desk: Desk
    outbox: Outbox
    cards: ChatCards
    telegram: TelegramBot
    dispatcher: Dispatcher
    store: Store
    http: httpx.AsyncClient
    sources: Sources
    record: RawRecord | None

    async def start_market(self) -> None:
        """Settle what a restart left open and fill the history; tries until the source answers."""
        await claim_venues(self.store, self.desk.brokers)
        await self.desk.recover()
        await self.repairs.begin()
        patience = Patience()
        while True:
            try:
                await self.pipeline.start()
            except SourceError as error:
                pause = patience.next_pause()
                logger.warning("the history cannot be had (%s); again in %g s", error, pause)
                await asyncio.sleep(pause)
            else:
                return

    async def start_chat(self) -> None:
        """Connect to Telegram, however long it takes, and answer from then on."""
        self.cards.bot_name = self.dispatcher.bot_name = await self.telegram.connect()
        texts = self.services.texts
        menus = {language: bot_commands(texts, language) for language in LANGUAGES}
        await self.telegram.start(self.dispatcher, menus)

    async def close(self) -> None:
        """Stop the chat, then the connections, then the store."""
        await self.telegram.stop()
        await close_brokers(self.desk.brokers)
        await self.sources.close()
        if self.record is not None:
            await asyncio.to_thread(self.record.close)
        await self.http.aclose()
        self.store.close()


def build(
    config: Config,
    outside: Outside,
    on_handled: Callable[[int], None] = lambda _: None,
    sources: Sources | None = None,
) -> App:
    """Return the bot that a configuration describes.

    `on_handled` hears the id of every update that has been dealt with. `sources` take the place of
    those that settings name; what they tell is not recorded. Raises ConfigError for
    conditions that do not compile and for plug-ins that do not exist, and StoreError.
    """
    config = with_stored_universes(config)
    compiled = compile_config(config)
    store = Store.open(config.settings.store.path, outside.wall)
    try:
        return _join(config, outside, compiled, store, on_handled, sources)
    except BaseException:
        store.close()
        raise


def _join(
    config: Config,
    outside: Outside,
    compiled: tuple[Condition, ...],
    store: Store,
    on_handled: Callable[[int], None],
    sources: Sources | None,
) -> App:
    texts = Texts.load()
    settings = config.settings
    http = httpx.AsyncClient(timeout=settings.naver.timeout_seconds)
    record = None if sources is not None else open_record(settings.record, outside.market)
    if sources is None:
        sources = build_sources(config, http, outside.market, record)
    brokers = build_brokers(
        BrokerParts(store, http, settings, outside.market, outside.wall, config.calendars)
    )
    quotes = Quotes(sources, outside.market)
    watched = Watched(compiled)
    cards = ChatCards(texts, language=settings.telegram.language, describe=watched.describe)
    desk = Desk(
        store=store,
        brokers=brokers,
        quotes=quotes,
        calendars=config.calendars,
        settings=settings,
        market_clock=outside.market,
        wall_clock=outside.wall,
        cards=cards,
        events=outside.events,
    )
    sources.listen(desk.guard.hear)
    fire = _fire(config, outside, watched, store, desk, cards)
    parts = Parts(
        sources=sources,
        store=store,
        watched=watched,
        series=build_series(
            members_of(config, compiled), config.calendars, settings.crawl.history_bars
        ),
        calendars=config.calendars,
        clock=outside.market,
        quotes=quotes,
        desk=desk,
        fire=fire,
        events=outside.events,
        paper=fed_by_the_market(brokers),
        depth=settings.crawl.history_bars,
        settle=timedelta(seconds=settings.crawl.offset_seconds) / 2,
    )
    pipeline = Pipeline(parts)
    repairs = Repairs(store, sources, config.calendars, outside.market, pipeline, fire)
    known = KnownMembers()
    reloader = Reloader(
        config=config,
        resolve=known.resolve,
        conditions=compiled,
        pipeline=pipeline,
        store=store,
        texts=texts,
        events=outside.events,
        wall_clock=outside.wall,
    )
    services = Services(
        in_force=lambda: reloader.config,
        store=store,
        desk=desk,
        quotes=quotes,
        directory=config.directory,
        calendars=config.calendars,
        market_clock=outside.market,
        wall_clock=outside.wall,
        texts=texts,
        pipeline=PipelineWatch(pipeline),
        access=Access(store),
        second_factor=SecondFactor(store, settings.access.totp_secret),
        events=outside.events,
        record_trouble=lambda: None if record is None else record.trouble,
        live_prices=sources.live,
    )
    universes = UniverseJob(
        store=store,
        universes=build_universes(config, store, sources),
        known=known,
        reloader=reloader,
        clock=outside.market,
        tell=fire.tell,
        on_facts=pipeline.facts_changed,
    )
    telegram = TelegramBot(settings.telegram, store, outside.wall, on_handled)
    outbox = Outbox(
        store=store,
        messenger=TelegramMessenger(telegram.bot),
        charts=SignalCharts(config.directory),
        settings=settings.telegram,
        wall_clock=outside.wall,
        events=outside.events,
        texts=texts,
    )
    dispatcher = Dispatcher(services)
    return App(
        services,
        pipeline,
        repairs,
        universes,
        reloader,
        desk,
        outbox,
        cards,
        telegram,
        dispatcher,
        store,
        http,
        sources,
        record,
    )


def _fire(
    config: Config,
    outside: Outside,
    watched: Watched,
    store: Store,
    desk: Desk,
    cards: ChatCards,
) -> Fire:
    return Fire(
        store=store,
        desk=desk,
        cards=cards,
        events=outside.events,
        directory=config.directory,
        channel=config.settings.telegram.channel,
        conditions=watched,
        wall_clock=outside.wall,
    )
