"""Two books that differ: noticed, told once, held back, adopted or healed by late fills."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from brokers.broker import OpenOrder
from engine.difference import read_difference, read_differences
from engine.holdings import read_holdings
from engine.reconcile import compare, corrections, read_foreign
from market.orders import OrderState, Position, Side
from tests.engine.pretend_market import HYNIX, NOON, OTHER, OWNER, SAMSUNG, TRADER
from tests.engine.scripted_venue import OpenBroker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World


async def holding(world: World, quantity: int = 10) -> None:
    """Let the desk hold some shares that the broker holds as well."""
    world.is_open = True
    await world.restart()
    bought = await world.sent(quantity=Decimal(quantity))
    world.venue.fill(bought, quantity)
    await world.sweep()
    world.pass_time(61)


async def told(world: World, code: str) -> list[str]:
    """Return the notices of a code that were told to the owner."""
    await world.deliver()
    texts = [one.text for one in world.chat if one.chat_id == OWNER.id]
    return [text for text in texts if text.startswith(f"{code} ")]


def held(quantity: int, name: str = "KRX:A", price: int = 10) -> Position:
    return Position(name, Decimal(quantity), Decimal(price))


def test_only_what_differs_is_found() -> None:
    ours = [held(5, "KRX:A"), held(0, "KRX:B"), held(3, "KRX:C")]
    theirs = [held(5, "KRX:A"), held(2, "KRX:C"), held(7, "KRX:D")]
    found = {name: (mine, one.quantity) for name, (mine, one) in compare(ours, theirs).items()}
    assert found == {"KRX:C": (Decimal(3), Decimal(2)), "KRX:D": (Decimal(0), Decimal(7))}


def test_a_short_position_differs_from_a_long_one_of_its_size() -> None:
    assert compare([held(-3)], [held(-3)]) == {}
    (found,) = compare([held(-3)], [held(3)]).values()
    assert (found[0], found[1].quantity) == (Decimal(-3), Decimal(3))


def test_rows_of_one_instrument_are_one_position() -> None:
    (found,) = compare([], [held(1, price=10), held(3, price=20)]).values()
    assert (found[1].quantity, found[1].average_price) == (Decimal(4), Decimal("17.5"))
    assert compare([held(4)], [held(1), held(3)]) == {}


@given(st.dictionaries(st.sampled_from("ABC"), st.integers(0, 9)))
def test_a_book_never_differs_from_itself(quantities: dict[str, int]) -> None:
    book = [held(quantity, name) for name, quantity in quantities.items()]
    assert compare(book, reversed(book)) == {}
    assert set(compare(book, [])) == {name for name, count in quantities.items() if count}


def test_a_difference_is_told_once_with_both_numbers(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        await world.desk.reconcile()
        assert await told(world, "notice.difference") == []
        world.venue.beside[SAMSUNG.id] = Decimal(5)
        for _ in range(3):
            assert await world.desk.reconcile()
        await world.restart()
        (text,) = await told(world, "notice.difference")
        assert "'ours': '10'" in text
        assert "'theirs': '15'" in text
        world.venue.beside[SAMSUNG.id] = Decimal(-3)
        await world.desk.reconcile()
        assert len(await told(world, "notice.difference")) == 2

    run(scenario)


def test_a_difference_holds_back_its_instrument_alone(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        waiting = await world.propose(quantity=Decimal(3))
        world.venue.beside[SAMSUNG.id] = Decimal(5)
        await world.desk.reconcile()
        assert (await world.confirm(waiting)).code == "risk.difference"
        assert (await world.propose(quantity=Decimal(4))).code == "risk.difference"
        by_condition = {"side": Side.SELL, "origin": "condition:a", "quantity": Decimal(2)}
        assert (await world.propose(**by_condition)).code == "risk.difference"
        other = await world.propose(instrument=HYNIX, price=Decimal(200_000), quantity=Decimal(1))
        assert other.state is OrderState.PROPOSED
        sale = await world.propose(side=Side.SELL, quantity=Decimal(1))
        assert (await world.confirm(sale)).code == "order.confirmed"

    run(scenario)


def test_late_fills_end_a_difference_by_themselves(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        bought = await world.sent(quantity=Decimal(4))
        world.venue.fill(bought, 4)
        late = world.venue.trades.pop()
        world.venue.beside[SAMSUNG.id] = Decimal(4)  # the balance knows of it before the fills do
        await world.desk.reconcile()
        assert await told(world, "notice.difference") == []  # our order explains it: a suspicion
        await world.desk.reconcile()
        assert len(await told(world, "notice.difference")) == 1
        del world.venue.beside[SAMSUNG.id]
        world.venue.trades.append(late)
        await world.sweep()  # new fills while something differs: looked again at once
        assert len(await told(world, "notice.difference_over")) == 1
        assert await world.store.read(read_differences) == []
        assert await world.position() == 14

    run(scenario)


def test_a_suspicion_holds_nothing_back(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        await world.sent(quantity=Decimal(4))
        world.venue.beside[SAMSUNG.id] = Decimal(4)
        await world.desk.reconcile()
        assert await world.store.read(read_differences) == []
        suspected = await world.store.read(lambda tx: read_difference(tx, SAMSUNG.id))
        assert suspected is not None
        assert suspected.is_suspicion
        proposed = await world.propose(quantity=Decimal(5))
        assert proposed.state is OrderState.PROPOSED
        assert (await world.desk.adopt(SAMSUNG.id, OWNER.id)).code == "adopt.done"  # looked twice

    run(scenario)


def test_fills_while_positions_are_read_are_no_difference(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        bought = await world.sent(quantity=Decimal(4))

        async def trade() -> None:
            if len(world.venue.trades) == 1:
                world.venue.fill(bought, 4)

        line = world.line
        assert isinstance(line, OpenBroker)
        line.before_positions = trade
        assert await world.desk.reconcile()
        assert await world.position() == 14
        assert await world.store.read(lambda tx: read_difference(tx, SAMSUNG.id)) is None

    run(scenario)


def test_adopting_takes_the_brokers_number_and_keeps_who_did_it(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        world.venue.beside[SAMSUNG.id] = Decimal(5)
        assert (await world.desk.adopt(SAMSUNG.id, TRADER.id)).code == "order.not_allowed"
        assert (await world.desk.adopt(HYNIX.id, OWNER.id)).code == "adopt.none"
        outcome = await world.desk.adopt(SAMSUNG.id, OWNER.id)
        assert outcome.code == "adopt.done"
        assert outcome.facts["theirs"] == "15"
        assert (await world.desk.adopt(SAMSUNG.id, OWNER.id)).code == "adopt.none"
        assert await world.position() == 15
        (kept,) = await world.store.read(corrections)
        assert kept["user_id"] == OWNER.id
        assert kept["before"] == ["10", "70000"]
        assert kept["after"] == ["15", "65000"]
        fills = await world.store.read(lambda tx: tx.orders.fills_of(SAMSUNG.id))
        assert len(fills) == 1
        await world.desk.reconcile()
        assert await world.store.read(read_differences) == []
        told_of, _ = await world.store.read(lambda tx: read_holdings(tx, world.market_clock.now()))
        assert told_of[SAMSUNG.id].stakes[-1].quantity == 15

    run(scenario)


def test_what_was_bought_before_us_can_be_adopted_and_sold(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.is_open = True
        world.venue.beside[SAMSUNG.id] = Decimal(7)
        await world.restart()  # the look at the start
        assert len(await told(world, "notice.difference")) == 1
        assert (await world.desk.adopt(SAMSUNG.id, OWNER.id)).code == "adopt.done"
        assert await world.position() == 7
        sold = await world.sent(side=Side.SELL, quantity=Decimal(7))
        assert sold.state is OrderState.ACCEPTED
        world.venue.fill(sold, 7)
        await world.sweep()
        assert await world.position() == 0
        assert await world.desk.reconcile()
        assert await world.store.read(read_differences) == []

    run(scenario)


def test_many_differences_are_one_message(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.is_open = True
        world.venue.beside |= {f"KRX:{number:06d}": Decimal(1) for number in range(1, 8)}
        await world.restart()
        assert await told(world, "notice.difference") == []
        (text,) = await told(world, "notice.differences")
        assert "'7'" in text
        await world.desk.reconcile()
        assert len(await told(world, "notice.differences")) == 1

    run(scenario)


def test_the_end_of_a_doubt_is_looked_into(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        world.venue.script.append("lose answer")
        world.venue.is_silent = False
        doubted = await world.propose(quantity=Decimal(3))
        world.venue.beside[SAMSUNG.id] = Decimal(5)
        assert (await world.confirm(doubted)).code == "order.in_doubt"
        world.venue.is_silent = True
        await world.sweep()  # nobody tells yet
        world.venue.is_silent = False
        await world.sweep()
        found = await world.store.read(lambda tx: read_difference(tx, SAMSUNG.id))
        assert found is not None

    run(scenario)


def test_a_broker_that_cannot_tell_changes_nothing(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        world.venue.beside[SAMSUNG.id] = Decimal(5)
        world.venue.is_silent = True
        assert not await world.desk.reconcile()
        assert (await world.desk.adopt(SAMSUNG.id, OWNER.id)).code == "adopt.untold"
        assert await world.store.read(read_differences) == []

    run(scenario)


def test_orders_made_elsewhere_are_kept_apart_from_ours(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await holding(world)
        await world.sent(quantity=Decimal(2))
        stray = OpenOrder(
            "A-1", "", HYNIX.id, Side.BUY, Decimal(3), Decimal(190_000), Decimal(1), NOON
        )
        world.venue.foreign.append(stray)
        await world.desk.reconcile()
        assert await world.store.read(read_foreign) == [stray]
        world.venue.foreign.clear()
        await world.desk.reconcile()
        assert await world.store.read(read_foreign) == []

    run(scenario)


def test_paper_agrees_with_itself_and_can_be_told_to_differ(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.is_paper = True
        await world.restart()
        await world.sent(price=None)
        await world.sweep(70_000)
        assert await world.position() == 10
        assert await world.desk.reconcile()
        assert await world.store.read(read_differences) == []
        differing = {"quantity": "8", "worth": "560000"}
        await world.store.write(lambda tx: tx.documents.put(f"paper/held/{SAMSUNG.id}", differing))
        assert await world.desk.reconcile()
        (found,) = await world.store.read(read_differences)
        assert (found.ours, found.theirs) == (Decimal(10), Decimal(8))
        assert OTHER.id not in {one.chat_id for one in world.chat if "difference" in one.text}

    run(scenario)
