"""Every command: its examples work, its role is kept, its words exist."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.command import COMMANDS, bot_commands, load_commands
from engine.outcome import Outcome
from market.messages import Person, Role
from market.orders import Order, OrderState, Position, Side
from tests.bot.chat_world import NOW, OWNER, TRADER, VIEWER, tick

if TYPE_CHECKING:
    from tests.bot.chat_world import World

load_commands()

EXAMPLES = [(name, line) for name in COMMANDS for line in COMMANDS.get(name).examples]
ROLES = {
    "start": Role.VIEWER,
    "help": Role.VIEWER,
    "status": Role.VIEWER,
    "conditions": Role.VIEWER,
    "positions": Role.VIEWER,
    "orders": Role.VIEWER,
    "claim": Role.VIEWER,
    "buy": Role.TRADER,
    "sell": Role.TRADER,
    "cancel": Role.TRADER,
    "pause": Role.TRADER,
    "resume": Role.TRADER,
    "allow": Role.OWNER,
    "deny": Role.OWNER,
}
PRIVATE = {*ROLES} - {"start", "help", "status", "conditions"}


def make_order(**changes: object) -> Order:
    """Return an order of the trader for ten shares of Samsung."""
    values: dict[str, object] = {
        "id": "aaaaaaaaaaaa",
        "version": 1,
        "instrument": "KRX:005930",
        "side": Side.BUY,
        "quantity": Decimal(10),
        "price": None,
        "state": OrderState.PROPOSED,
        "user_id": TRADER.id,
        "origin": "command",
        "proposed_at": NOW,
        "expires_at": NOW + timedelta(seconds=90),
        "reference_price": Decimal(71500),
        "reference_at": NOW,
        "max_drift": Decimal("0.003"),
    }
    return Order(**{**values, **changes})  # type: ignore[arg-type]  # named values of a test


def hold(world: World, quantity: str = "30") -> None:
    """Give the account some Samsung and a price."""
    position = Position("KRX:005930", Decimal(quantity), Decimal(70_000), Decimal(-500))
    asyncio.run(world.store.write(lambda tx: tx.orders.put_position(position)))
    world.services.quotes.note([tick("KRX:005930", NOW)])


def test_registry_is_the_table_of_roles() -> None:
    assert {name: COMMANDS.get(name).role for name in COMMANDS} == ROLES
    assert {name for name in COMMANDS if COMMANDS.get(name).is_private} == PRIVATE


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_example_is_understood(world: World, name: str, line: str) -> None:
    hold(world)
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
    assert [name for name, _ in menu][:7] == sorted(
        name for name in ROLES if ROLES[name] == "viewer"
    )
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


def test_buy_proposes_what_was_typed(world: World) -> None:
    assert asyncio.run(world.say("/buy 삼성전자 10주 71,500")) == []
    (ticket,) = world.desk.tickets
    assert ticket.instrument.id == "KRX:005930"
    assert (ticket.side, ticket.quantity, ticket.price) == (Side.BUY, Decimal(10), Decimal(71500))
    assert ticket.user_id == TRADER.id
    assert ticket.key.startswith("update:")
    assert ticket.within == timedelta(seconds=90)


def test_buy_without_a_price_is_a_market_order(world: World) -> None:
    asyncio.run(world.say("/buy 005930 10"))
    assert world.desk.tickets[0].price is None


def test_buy_without_a_quantity_offers_amounts(world: World) -> None:
    (message,) = asyncio.run(world.say("/buy 005930"))
    assert [button.data for button in message.buttons[0]] == [
        "c:/buy 005930 1",
        "c:/buy 005930 10",
        "c:/buy 005930 100",
    ]
    assert world.desk.tickets == []


def test_buy_of_an_unknown_name_suggests_and_keeps_the_amount(world: World) -> None:
    (message,) = asyncio.run(world.say("/buy 삼성 10 71500"))
    data = [button.data for row in message.buttons for button in row]
    assert "c:/buy 005930 10 71500" in data
    assert world.desk.tickets == []


def test_buy_of_nonsense_says_so_without_buttons(world: World) -> None:
    (message,) = asyncio.run(world.say("/buy qqqzzzxxx 10"))
    assert "qqqzzzxxx" in message.text
    assert message.buttons == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "Which instrument"),
        ("005930 0", "above 0"),
        ("005930 -5", "above 0"),
        ("005930 1.5", "whole"),
        ("005930 many", "cannot read the quantity"),
        ("005930 1e5", "cannot read the quantity"),
        ("005930 9999999999", "too large"),
        ("005930 10 cheap", "cannot read the price"),
        ("005930 10 0", "price must be above 0"),
        ("005930 10 71500 now please", "now please"),
        ("005930 all", "selling only"),
    ],
)
def test_buy_says_what_is_wrong(world: World, line: str, words: str) -> None:
    (message,) = asyncio.run(world.say(f"/buy {line}"))
    assert words in message.text
    assert world.desk.tickets == []


def test_sell_all_sells_the_position(world: World) -> None:
    hold(world)
    asyncio.run(world.say("/sell 삼성전자 전부"))
    (ticket,) = world.desk.tickets
    assert (ticket.side, ticket.quantity) == (Side.SELL, Decimal(30))


def test_sell_all_of_nothing_says_so(world: World) -> None:
    (message,) = asyncio.run(world.say("/sell 005930 all"))
    assert "You hold no 삼성전자" in message.text


def test_sell_offers_no_more_than_is_held(world: World) -> None:
    hold(world)
    (message,) = asyncio.run(world.say("/sell 005930"))
    assert [button.data for button in message.buttons[0]] == [
        "c:/sell 005930 1",
        "c:/sell 005930 10",
        "c:/sell 005930 all",
    ]


def test_positions_show_profit_and_totals(world: World) -> None:
    hold(world)
    (message,) = asyncio.run(world.say("/positions"))
    assert "average 70,000 KRW → now 71,500 KRW" in message.text
    assert "+45,000 KRW 🔺 +2.14%" in message.text
    assert "Realized -500 KRW" in message.text


def test_positions_without_a_price_say_so(world: World) -> None:
    position = Position("KRX:005930", Decimal(1), Decimal(70_000))
    asyncio.run(world.store.write(lambda tx: tx.orders.put_position(position)))
    (message,) = asyncio.run(world.say("/positions"))
    assert "no price" in message.text


def test_orders_list_today_newest_first(world: World) -> None:
    first, second = make_order(), make_order(id="bbbbbbbbbbbb", side=Side.SELL)
    late = make_order(id="cccccccccccc", proposed_at=NOW - timedelta(days=1))
    for order in (first, second, late):
        asyncio.run(world.store.write(lambda tx, one=order: tx.orders.put(one)))  # type: ignore[misc]  # bound early
    (message,) = asyncio.run(world.say("/orders"))
    assert "Orders today: 2" in message.text
    assert "10:30 🔴 Buy <b>삼성전자</b> 10 shares market · to confirm" in message.text


def test_cancel_without_an_id_lists_my_open_orders(world: World) -> None:
    mine, other = make_order(), make_order(id="bbbbbbbbbbbb", user_id=OWNER.id)
    for order in (mine, other):
        asyncio.run(world.store.write(lambda tx, one=order: tx.orders.put(one)))  # type: ignore[misc]  # bound early
    (message,) = asyncio.run(world.say("/cancel"))
    assert [button.data for row in message.buttons for button in row] == ["ox:aaaaaaaaaaaa"]


def test_cancel_with_an_id_tells_the_outcome(world: World) -> None:
    world.desk.outcome = Outcome(None, "order.cancel_refused", {"reason": "rejected.closed"})
    (message,) = asyncio.run(world.say("/cancel #AAAAAAAAAAAA"))
    assert world.desk.calls == [("cancel", "aaaaaaaaaaaa", TRADER.id)]
    assert "market closed" in message.text


def test_conditions_are_described(world: World) -> None:
    (message,) = asyncio.run(world.say("/conditions"))
    for spec in world.config.conditions:
        assert f"<b>{spec.name}</b>" in message.text


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
    assert world.desk.calls == [("pause", TRADER.id), ("resume", TRADER.id)]
