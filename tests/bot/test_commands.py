"""Every command: its examples work, its role is kept, its words exist."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.command import COMMANDS, bot_commands, load_commands
from engine.pauses import BUYS, EVERYTHING
from market.messages import Person, Role
from market.orders import Position
from market.types import Instrument, Kind, Venue
from tests.bot.asked_market import fill
from tests.bot.chat_world import NOW, OWNER, TRADER, VIEWER, tick

if TYPE_CHECKING:
    from tests.bot.chat_world import World

load_commands()

EXAMPLES = [(name, line) for name in COMMANDS for line in COMMANDS.get(name).examples]
ROLES = {
    "start": Role.VIEWER,
    "help": Role.VIEWER,
    "status": Role.VIEWER,
    "health": Role.VIEWER,
    "conditions": Role.VIEWER,
    "near": Role.VIEWER,
    "why": Role.VIEWER,
    "balance": Role.VIEWER,
    "positions": Role.VIEWER,
    "orders": Role.VIEWER,
    "claim": Role.VIEWER,
    "buy": Role.TRADER,
    "sell": Role.TRADER,
    "short": Role.TRADER,
    "cover": Role.TRADER,
    "cancel": Role.TRADER,
    "pause": Role.TRADER,
    "resume": Role.TRADER,
    "halt": Role.TRADER,
    "disarm": Role.TRADER,
    "adopt": Role.OWNER,
    "panic": Role.OWNER,
    "arm": Role.OWNER,
    "pin": Role.OWNER,
    "allow": Role.OWNER,
    "deny": Role.OWNER,
}
FUTURE = Instrument(Venue.BINANCE, "BTCUSDT.P", "Bitcoin futures", "USDT-M", Kind.COIN)
PRIVATE = {*ROLES} - {"start", "help", "status", "health", "conditions", "near", "why"}


def hold(world: World, quantity: str = "30") -> None:
    """Give the account some Samsung and a price."""
    position = Position("KRX:005930", Decimal(quantity), Decimal(70_000), Decimal(-500))
    asyncio.run(world.store.write(lambda tx: tx.orders.put_position(position)))
    world.services.directory.add(FUTURE)
    world.services.quotes.note([tick("KRX:005930", NOW), tick(FUTURE.id, NOW, 61_000.0)])


def test_registry_is_the_table_of_roles() -> None:
    assert {name: COMMANDS.get(name).role for name in COMMANDS} == ROLES
    assert {name for name in COMMANDS if COMMANDS.get(name).is_private} == PRIVATE


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_example_is_understood(world: World, name: str, line: str) -> None:
    hold(world)
    fill(world.watch.series[0])
    before = len(world.desk.tickets) + len(world.desk.calls)
    messages = asyncio.run(world.say(f"/{name} {line}".strip(), OWNER))
    acted = len(world.desk.tickets) + len(world.desk.calls) > before
    assert messages or acted
    assert not any("⚠️" in message.text for message in messages)
    wrong = ("읽을 수 없어요", "찾지 못했어요", "이렇게 적어", "명령은 없어요")
    assert not any(words in message.text for message in messages for words in wrong)


@pytest.mark.parametrize("chat_type", ["private", "group", "supergroup"])
@pytest.mark.parametrize("person", [OWNER, TRADER, VIEWER], ids=lambda one: one.role.value)
@pytest.mark.parametrize("name", sorted(ROLES))
def test_role_and_chat_are_checked_before_the_command_runs(
    world: World, name: str, person: Person, chat_type: str
) -> None:
    chat_id = person.id if chat_type == "private" else -77
    example = COMMANDS.get(name).examples[0]
    asyncio.run(world.say(f"/{name} {example}", person, chat_id=chat_id, chat_type=chat_type))
    may = person.role.includes(ROLES[name]) and (chat_type == "private" or name not in PRIVATE)
    assert (world.events.count("command") == 1) is may


@pytest.mark.parametrize("language", ["ko", "en"])
def test_menu_names_every_command(world: World, language: str) -> None:
    menu = bot_commands(world.services.texts, language)
    for_all = sorted(name for name in ROLES if ROLES[name] == "viewer")
    assert [name for name, _ in menu][: len(for_all)] == for_all
    assert sorted(name for name, _ in menu) == sorted(ROLES)
    assert all(3 <= len(words) <= 256 for _, words in menu)


def test_start_offers_three_buttons(world: World) -> None:
    (message,) = asyncio.run(world.say("/start"))
    assert [button.data for row in message.buttons for button in row] == [
        "c:/status",
        "c:/conditions",
        "c:/help",
    ]


def test_help_lists_only_what_the_person_may_use(world: World) -> None:
    (message,) = asyncio.run(world.say("/help", VIEWER))
    assert "/status" in message.text
    assert "/buy" not in message.text.replace("/help buy", "")


def test_help_of_one_command_shows_its_examples(world: World) -> None:
    (message,) = asyncio.run(world.say("/help buy"))
    for example in COMMANDS.get("buy").examples:
        assert f"/buy {example}" in message.text


def test_status_tells_market_source_and_counts(world: World) -> None:
    (message,) = asyncio.run(world.say("/status"))
    assert "KRX open · until 11-24 15:30" in message.text
    assert "8s ago" in message.text
    assert f"Conditions {len(world.config.conditions)}" in message.text


def test_status_shows_a_pause(world: World) -> None:
    async def scenario() -> str:
        await world.say("/pause")
        (message,) = await world.say("/status")
        return message.text

    assert "paused" in asyncio.run(scenario())


def test_status_refreshes_the_message_whose_button_was_tapped(world: World) -> None:
    async def scenario() -> tuple[str | None, str | None]:
        (first,) = await world.say("/status")
        (row,) = await world.store.read(lambda tx: tx.outbox.pending(NOW))

        def send(tx):  # type: ignore[no-untyped-def]  # a transaction
            tx.outbox.claim(row.id, NOW)
            tx.outbox.sent(row.id, 321, False, NOW)

        await world.store.write(send)
        tap = world.incoming("c:/status", kind="tap", message_id=321)
        _, (second,) = await world.receive(tap)
        return first.card, second.card

    first, second = asyncio.run(scenario())
    assert first is not None
    assert first == second


def test_conditions_are_described(world: World) -> None:
    (message,) = asyncio.run(world.say("/conditions"))
    for spec in world.config.conditions:
        assert f"<b>{spec.name}</b>" in message.text
    watched, _, off = message.text.rpartition("\n\n")
    assert off.startswith(f"⚪ Off ({len(world.config.off)}): ")
    for spec in world.config.off:
        assert spec.name in off
        assert f"<b>{spec.name}</b>" not in watched


def test_allow_lets_in_and_greets(world: World) -> None:
    messages = asyncio.run(world.say("/allow 424242 trader", OWNER))
    assert [message.chat_id for message in messages] == [OWNER.id, 424242]
    stored = asyncio.run(world.store.read(lambda tx: tx.people.get(424242)))
    assert stored is not None
    assert stored.role is Role.TRADER


@pytest.mark.parametrize(
    "line", ["", "424242", "424242 owner", "abc viewer", "-5 viewer", "٣ viewer"]
)
def test_allow_refuses_what_is_no_person_or_role(world: World, line: str) -> None:
    (message,) = asyncio.run(world.say(f"/allow {line}", OWNER))
    assert message.chat_id == OWNER.id
    people = asyncio.run(world.store.read(lambda tx: tx.people.all()))
    assert len(people) == 3


def test_balance_counts_positions_at_their_last_price(world: World) -> None:
    hold(world)
    (message,) = asyncio.run(world.say("/balance", VIEWER))
    for amount in ("10,000,000", "9,000,000", "2,145,000", "12,145,000"):
        assert amount in message.text


def test_balance_that_the_broker_cannot_tell_is_said(world: World) -> None:
    world.desk.money = {"paper": None}
    (message,) = asyncio.run(world.say("/balance", VIEWER))
    assert "10,000,000" not in message.text
    assert message.text


@pytest.mark.parametrize("line", ["/deny 1001", "/allow 1001 viewer"])
def test_owner_cannot_be_touched(world: World, line: str) -> None:
    asyncio.run(world.say(line, OWNER))
    owner = asyncio.run(world.store.read(lambda tx: tx.people.owner()))
    assert owner == OWNER


def test_denied_person_gets_no_answer(world: World) -> None:
    async def scenario() -> int:
        await world.say(f"/deny {VIEWER.id}", OWNER)
        return len(await world.say("/status", VIEWER))

    assert asyncio.run(scenario()) == 0


def test_pause_and_resume_reach_the_desk(world: World) -> None:
    async def scenario() -> None:
        await world.say("/pause")
        await world.say("/resume")

    asyncio.run(scenario())
    assert world.desk.calls == [
        ("pause", TRADER.id, BUYS, None),
        ("resume", TRADER.id, EVERYTHING),
    ]
