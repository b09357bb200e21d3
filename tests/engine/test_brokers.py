"""Several brokers at one desk: each has its own orders, fills, money and troubles."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from conditions.scalar import compile_size
from config.strict_yaml import Located
from engine.brokers import PATIENCE_SECONDS, Brokers, Seat
from engine.desk_risk import risk_view
from market.errors import OutcomeUnknown
from market.grid import Grid
from market.orders import Account, OrderState
from market.types import Instrument, Kind, Venue
from tests.bot.chat_world import seated
from tests.engine.desk_world import World
from tests.engine.pretend_market import OWNER, SAMSUNG
from tests.engine.scripted_venue import OpenBroker, ScriptedVenue
from tests.virtual_time import run_virtual

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from market.orders import Order
    from market.types import InstrumentId

    Run = Callable[[Callable[["TwoBrokers"], Awaitable[None]]], None]

W = TypeVar("W", bound=World)

COIN = Instrument(Venue.UPBIT, "KRW-XRP", "Ripple", kind=Kind.COIN)
COINS = {"instrument": COIN, "price": Decimal(700), "quantity": Decimal(100)}


class CoinBroker(OpenBroker):
    """One that trades coins."""

    venues = frozenset({Venue.UPBIT})


class TwoBrokers(World):
    """Shares by a live broker, coins on paper, each in front of a venue of its own."""

    def __init__(self, path: Path) -> None:
        self.coins = ScriptedVenue()
        super().__init__(path)
        self.market.prices[COIN.id] = 700.0

    def connect(self) -> OpenBroker:
        """Return the broker of shares."""
        return OpenBroker(self.venue, self.fate)

    def brokers(self) -> Brokers:
        """Return both."""
        coins = CoinBroker(self.coins, self.fate)
        return Brokers(
            (
                Seat("kis", self.broker, frozenset({Venue.KRX}), is_live=True),
                Seat("paper", coins, coins.venues, is_live=False),
            )
        )

    async def both(self) -> tuple[Order, Order]:
        """Send one order to each."""
        await self.desk.arm(OWNER.id)
        return await self.sent(), await self.sent(**COINS)


def play(world: W, scenario: Callable[[W], Awaitable[None]]) -> None:
    """Run a scenario in a world whose people are in."""

    async def body() -> None:
        await world.settle_in()
        await scenario(world)

    try:
        asyncio.run(body())
    finally:
        world.store.close()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return lambda scenario: play(TwoBrokers(tmp_path / "desk.sqlite"), scenario)


def test_each_order_goes_to_the_broker_of_its_venue(run: Run) -> None:
    async def scenario(world: TwoBrokers) -> None:
        shares, coins = await world.both()
        assert world.venue.posts == [shares.client_order_id]
        assert world.coins.posts == [coins.client_order_id]
        one, other = world.venue.fill(shares, 10), world.coins.fill(coins, 100, 700)
        assert one.id == other.id  # each broker numbers its own
        await world.sweep()
        assert await world.position() == 10
        assert await world.position(COIN) == 100
        await world.restart()
        assert [(await world.order(each)).state for each in (shares, coins)] == [
            OrderState.FILLED
        ] * 2

    run(scenario)


def test_a_broker_that_is_down_does_not_hold_up_the_other(run: Run) -> None:
    async def scenario(world: TwoBrokers) -> None:
        shares, coins = await world.both()
        world.venue.is_silent = True
        world.coins.fill(coins, 100, 700)
        await world.sweep()
        assert (await world.order(coins)).state is OrderState.FILLED
        world.coins.beside = {COIN.id: Decimal(7)}
        assert not await world.desk.reconcile()
        assert (await world.desk.adopt(COIN.id, OWNER.id)).code == "adopt.done"
        assert (await world.desk.accounts())["kis"] is None
        assert (await world.order(shares)).state is OrderState.ACCEPTED

    run(scenario)


def test_only_the_live_broker_is_disarmed(run: Run) -> None:
    async def scenario(world: TwoBrokers) -> None:
        assert (await world.propose()).code == "risk.disarmed"
        assert (await world.sent(**COINS)).state is OrderState.ACCEPTED

    run(scenario)


def test_pretended_money_is_not_counted_with_real_money(run: Run) -> None:
    async def scenario(world: TwoBrokers) -> None:
        shares, coins = await world.both()
        world.venue.fill(shares, 10)
        world.coins.fill(coins, 100, 700)
        await world.sweep()

        async def worths(order: Order, instrument: Instrument) -> set[str]:
            return await world.desk._book.write(
                lambda page: set(
                    risk_view(page, order, instrument, None, page.book.quote_age, None).worths
                )
            )

        assert await worths(shares, SAMSUNG) == {SAMSUNG.id}
        assert await worths(coins, COIN) == {COIN.id}

    run(scenario)


TETHERED = Instrument(Venue.BINANCE, "BTCUSDT", "Bitcoin", kind=Kind.COIN)
FUTURE = Instrument(Venue.BINANCE, "BTCUSDT.P", "Bitcoin", kind=Kind.COIN)
GRID = Grid(Decimal("0.5"), Decimal("0.001"), Decimal(5))


class PurseBroker(OpenBroker):
    """One with two purses that tells the steps of its instruments."""

    venues = frozenset({Venue.BINANCE})

    async def accounts(self) -> tuple[Account, ...]:
        """Return a purse for coins and one for contracts."""
        few, more = Decimal(300), Decimal(900)
        return (Account(few, few, "USDT", "spot"), Account(more, more, "USDT", "futures"))

    async def grid(self, instrument: InstrumentId) -> Grid:
        """Return the same for all."""
        self._fate.check()
        return GRID


class TetherWorld(World):
    """A world of coins that are paid in USDT."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.market.prices |= {TETHERED.id: 60_000.0, FUTURE.id: 60_000.0}

    def connect(self) -> PurseBroker:
        """Return the broker."""
        return PurseBroker(self.venue, self.fate)

    async def sized(self, instrument: Instrument, text: str, **changes: Any) -> Order:
        """Propose a purchase at the market of a size as it is written."""
        size = compile_size(Located(text, "test", 1, 1))
        made = {"instrument": instrument, "quantity": None, "size": size, "price": None}
        return await self.propose(**{**made, **changes})


def test_the_purse_of_an_instrument_pays_for_it(tmp_path: Path) -> None:
    async def scenario(world: TetherWorld) -> None:
        assert (await world.sized(TETHERED, "50% * buying_power")).quantity == Decimal("0.002")
        assert (await world.sized(FUTURE, "50% * buying_power")).quantity == Decimal("0.007")
        order = await world.sized(TETHERED, "100 USDT")
        assert order.quantity == Decimal("0.001")  # down to the symbol's own lot
        assert world.cards.views[order.id].equity == 300
        assert world.cards.views[order.id].fee == Decimal("0.06")
        beyond = await world.sized(TETHERED, "500 USDT")
        assert beyond.quantity == Decimal("0.004")  # what 300 USDT pay, with the fee

    play(TetherWorld(tmp_path / "desk.sqlite"), scenario)


def test_money_is_never_exchanged(tmp_path: Path) -> None:
    async def scenario(world: TetherWorld) -> None:
        denied = await world.sized(TETHERED, "100_000 KRW")
        assert (denied.code, dict(denied.facts)) == (
            "risk.other_money",
            {"limit": "USDT", "asked": "KRW"},
        )
        denied = await world.sized(SAMSUNG, "100 USDT")
        assert denied.code == "risk.other_money"

    play(TetherWorld(tmp_path / "desk.sqlite"), scenario)


def test_steps_that_cannot_be_had_now_are_those_told_before(tmp_path: Path) -> None:
    async def scenario(world: TetherWorld) -> None:
        await world.sized(TETHERED, "100 USDT")

        async def unknown(instrument: InstrumentId) -> Grid:
            raise OutcomeUnknown("unavailable", f"no steps of {instrument}")

        world.line.grid = unknown  # type: ignore[attr-defined]
        odd = await world.propose(
            instrument=TETHERED, quantity=Decimal("0.002"), price=Decimal("60000.1")
        )
        assert odd.code == "risk.tick"

    play(TetherWorld(tmp_path / "desk.sqlite"), scenario)


def test_a_slow_broker_is_waited_for_a_moment_and_left_out_until_it_is_done() -> None:
    brokers = seated(("kis", Venue.KRX), ("paper", Venue.UPBIT))
    asked: list[str] = []

    async def ask(seat: Seat) -> int:
        asked.append(seat.name)
        await asyncio.sleep(10 if seat.name == "kis" else 0)
        return len(asked)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert set(await brokers.each("fills", ask)) == {"paper"}
        assert loop.time() - began == pytest.approx(PATIENCE_SECONDS, abs=0.1)
        assert set(await brokers.each("fills", ask)) == {"paper"}
        assert asked.count("kis") == 1  # never twice at the same time
        await asyncio.sleep(10)
        await brokers.each("fills", ask)
        assert asked.count("kis") == 2
        await brokers.close()

    run_virtual(scenario())


def test_what_a_broker_raises_is_raised_when_all_have_been_asked() -> None:
    brokers = seated(("kis", Venue.KRX), ("paper", Venue.UPBIT))
    asked: list[str] = []

    async def ask(seat: Seat) -> None:
        asked.append(seat.name)
        if seat.name == "kis":
            raise ValueError(seat.name)

    with pytest.raises(ValueError, match="kis"):
        run_virtual(brokers.each("fills", ask))
    assert asked == ["kis", "paper"]


def test_nobody_trades_where_no_broker_is() -> None:
    brokers = seated(("kis", Venue.KRX))
    assert brokers.at(Venue.UPBIT) is None
    with pytest.raises(LookupError, match="no broker trades UPBIT:KRW-XRP"):
        brokers.of(COIN.id)
