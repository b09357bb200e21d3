"""No way from a chat to a broker but a confirmation by a person who may: every handler is tried."""

from __future__ import annotations

import ast
import asyncio
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.access import Access
from bot.command import COMMANDS, load_commands
from bot.dispatch import Dispatcher
from bot.render import ChatCards
from bot.services import Services
from brokers import broker as ports_of_brokers
from brokers.paper import PaperBroker
from engine.brokers import only
from engine.desk import Desk
from engine.desk_adjust import Change
from engine.quotes import Quotes
from market.messages import Person, Role
from market.orders import OrderState
from tests.bot.chat_world import (
    OWNER,
    PEOPLE,
    STRANGER_ID,
    TRADER,
    VIEWER,
    QuietSource,
    World,
    build_world,
    settle_people,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.orders import Order

ROOT = Path(__file__).parents[2]
STRANGER = Person(STRANGER_ID, Role.VIEWER, "en", "Nobody")
MESSAGE = 700
SENDERS = {"engine/desk_send.py"}
"""The one file that calls `place`; it sends what is confirmed in the store, and nothing else."""
WRITES = {
    "place": SENDERS,
    "cancel": {"engine/desk_cancel.py"},
    "cancel_foreign": {"engine/desk_foreign.py"},
    "adopt": {"engine/desk_foreign.py"},
    "settle": {"engine/desk_doubt.py"},
    "place_stop": {"engine/desk_stops.py"},
}
"""What changes something at a broker or in its notes, and the files that may ask for it."""
READS = {
    *("venues", "find", "fills", "accounts", "open_orders", "positions", "tick_size", "news"),
    *("takes_stops", "phases", "possible", "candidates", "close", "observe", "grid"),
}
NAMES_OF_OTHERS = {"cancel", "adopt", "settle"}
"""Others have methods of these names, too: tasks, the desk, signals."""

load_commands()


class RecordingBroker(PaperBroker):
    """The paper broker, and what it was asked to change."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.placed: list[str] = []
        self.cancelled: list[str] = []

    async def place(self, order: Order) -> str:
        """Note an order, and take it."""
        self.placed.append(order.id)
        return await super().place(order)

    async def cancel(self, order: Order) -> None:
        """Note a cancel, and do it."""
        self.cancelled.append(order.id)
        await super().cancel(order)


@dataclass
class Hall:
    """A chat in front of the real desk."""

    world: World
    desk: Desk
    broker: RecordingBroker

    async def propose(self, line: str = "/buy 005930 10") -> Order:
        """Let a trader type an order; its card arrives as message 700."""
        await self.world.say(line)
        store, now = self.world.store, self.world.wall.now()

        def arrive(tx: Any) -> Any:
            order = tx.orders.recent(1)[0]
            for outgoing in tx.outbox.pending(now):
                tx.outbox.claim(outgoing.id, now)
                tx.outbox.sent(outgoing.id, MESSAGE, is_photo=False, at=now)
            return order

        order: Order = await store.write(arrive)
        assert order.state is OrderState.PROPOSED
        return order

    async def version(self, order: Order) -> int:
        """Return an order's version as it is now."""
        stored = await self.world.store.read(lambda tx: tx.orders.get(order.id))
        assert stored is not None
        return stored.version

    async def hear(self, text: str, person: Person, **changes: Any) -> None:
        """Take an update, whatever comes of it."""
        await self.world.dispatcher.handle(self.world.incoming(text, person, **changes))


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    world = build_world(tmp_path)
    asyncio.run(settle_people(world, *PEOPLE))
    settings = world.config.settings
    quotes = Quotes(QuietSource(world.market), world.market)
    broker = RecordingBroker(world.store, settings, world.market, world.config.calendars)
    desk = Desk(
        store=world.store,
        brokers=only(broker),
        quotes=quotes,
        calendars=world.config.calendars,
        settings=settings,
        market_clock=world.market,
        wall_clock=world.wall,
        cards=ChatCards(world.services.texts),
        events=world.events,
    )
    access = Access(world.store)
    world.services = replace(world.services, desk=desk, quotes=quotes, access=access)
    world.dispatcher = Dispatcher(world.services)
    yield Hall(world, desk, broker)
    world.store.close()


def typed() -> list[str]:
    """Return every command with all its examples, and as people mistype them."""
    lines = {f"/{name}" for name in COMMANDS}
    for name in COMMANDS:
        lines |= {f"/{name} {example}".strip() for example in COMMANDS.get(name).examples}
    return sorted(lines)


def taps(order: Order) -> list[str]:
    """Return the data of all buttons that an order's card can have, and of some others."""
    changes = [f"oa:{change}:{order.id}:{version}" for change in Change for version in (0, 1, 2)]
    versions = [f"o{what}:{order.id}:{version}" for what in "cd" for version in (0, 1, 2)]
    which = [f"os:{order.id}:{version}:{number}" for version in (0, 1) for number in (0, "none")]
    return [
        *changes,
        *versions,
        *which,
        f"ox:{order.id}",
        "again:1",
        "oc:",
        f"oc:{order.id}",
        "oz:1:1",
    ]


ELSEWHERE = {"chat_id": -5, "chat_type": "group"}


@pytest.mark.parametrize("person", [VIEWER, STRANGER], ids=["viewer", "stranger"])
def test_who_may_not_trade_reaches_no_broker(hall: Hall, person: Person) -> None:
    async def scenario() -> None:
        order = await hall.propose()
        buttons = [f"c:{line}" for line in typed()] + taps(order)
        for where in ({}, ELSEWHERE):
            for line in typed():
                await hall.hear(line, person, **where)
            for data in buttons:
                await hall.hear(data, person, kind="tap", message_id=MESSAGE, **where)
        assert hall.broker.placed == hall.broker.cancelled == []
        stored = await hall.world.store.read(lambda tx: tx.orders.get(order.id))
        assert stored == order

    asyncio.run(scenario())


@pytest.mark.parametrize("person", [TRADER, OWNER], ids=["trader", "owner"])
def test_no_typed_command_and_no_command_button_sends_an_order(hall: Hall, person: Person) -> None:
    async def scenario() -> None:
        for line, where in product(typed(), ({}, ELSEWHERE)):
            await hall.hear(line, person, **where)
            await hall.hear(f"c:{line}", person, kind="tap", message_id=MESSAGE, **where)
        assert hall.broker.placed == []

    asyncio.run(scenario())


def test_of_all_buttons_only_confirm_of_the_right_version_sends(hall: Hall) -> None:
    async def scenario() -> None:
        order = await hall.propose()
        sends = f"oc:{order.id}:1"
        spoil = {f"od:{order.id}:1", f"ox:{order.id}"}  # these end the proposal
        for data in taps(order):
            if data != sends and data not in spoil and not data.startswith("oa:"):
                await hall.hear(data, TRADER, kind="tap", message_id=MESSAGE)
        for where in ({"message_id": 1}, {"message_id": None}, ELSEWHERE | {"message_id": MESSAGE}):
            await hall.hear(sends, TRADER, kind="tap", **where)
        await hall.hear(sends, OWNER, kind="tap", message_id=MESSAGE)
        await hall.hear(sends, TRADER, message_id=MESSAGE)  # typed, not tapped
        assert hall.broker.placed == []
        for _ in range(3):
            await hall.hear(sends, TRADER, kind="tap", message_id=MESSAGE)
        assert hall.broker.placed == [order.id]

    asyncio.run(scenario())


def test_buttons_that_change_a_card_send_nothing(hall: Hall) -> None:
    async def scenario() -> None:
        for change in Change:
            hall.world.wall.advance(timedelta(minutes=1))  # no duplicate of the one before
            hall.world.market.advance(timedelta(minutes=1))
            order = await hall.propose()
            data = f"oa:{change}:{order.id}:1"
            await hall.hear(data, TRADER, kind="tap", message_id=MESSAGE)
            assert hall.broker.placed == []
            if await hall.version(order) > 1:  # the old Confirm is of no use any more
                await hall.hear(f"oc:{order.id}:1", TRADER, kind="tap", message_id=MESSAGE)
            await hall.hear(f"ox:{order.id}", TRADER, kind="tap", message_id=MESSAGE)
        assert hall.broker.placed == []

    asyncio.run(scenario())


def test_commands_are_given_no_broker() -> None:
    assert "broker" not in {field.name for field in fields(Services)}


def test_of_every_method_of_a_broker_is_known_whether_it_changes_something() -> None:
    ports = [one for one in vars(ports_of_brokers).values() if getattr(one, "_is_protocol", False)]
    found = {name for port in ports for name in vars(port) if not name.startswith("_")}
    assert found == READS | set(WRITES)


@pytest.mark.parametrize(("method", "allowed"), WRITES.items())
def test_one_file_alone_asks_a_broker_to_change_something(method: str, allowed: set[str]) -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("bot", "engine")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == method
        if _is_of_a_broker(node, package)
    }
    assert found <= allowed


def _is_of_a_broker(node: ast.Attribute, package: str) -> bool:
    """Tell whether a method is a broker's, called there or only handed on."""
    if package == "engine" and node.attr not in NAMES_OF_OTHERS:
        return True
    words = ("broker", "doubtful", "protective")
    return any(word in ast.unparse(node.value).lower() for word in words)
