"""Replies to what the bot said: which of them ask why, and about which signal."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.incoming import CommandLine, Incoming
from bot.replied import read_line
from bot.reply import command_button
from market.messages import Message
from market.orders import Order, OrderState, Side
from market.signals import reference_of
from market.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from market.store import Transaction

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
SIGNAL = "volume-breakout:v1:KRX:005930:0"
REFERENCE = reference_of(SIGNAL)
CHAT, PLACE = 1001, 77
ASKED = CommandLine("why", f"#{REFERENCE}")


def words(text: str, reply_to: int | None = PLACE, chat_id: int = CHAT) -> Incoming:
    """Return a text of a person, by default a reply."""
    return Incoming(
        update_id=1,
        kind="text",
        user_id=1001,
        user_name="A",
        chat_id=chat_id,
        chat_type="private",
        text=text,
        callback_id=None,
        message_id=99,
        language="ko",
        sent_at=NOW,
        reply_to=reply_to,
    )


def read(
    tmp_path: Path, incoming: Incoming, *sent: Message, order: Order | None = None
) -> CommandLine | None:
    """Return how a text is understood after these messages were sent, all as PLACE."""

    def say(transaction: Transaction) -> None:
        for message in sent:
            number = transaction.outbox.enqueue(message, NOW)
            transaction.outbox.claim(number, NOW)
            transaction.outbox.sent(number, PLACE, True, NOW)
        if order is not None:
            transaction.orders.put(order)

    async def scenario() -> CommandLine | None:
        store = Store.open(tmp_path / "a.sqlite")
        try:
            await store.write(say)
            return await read_line(incoming, store)
        finally:
            store.close()

    return asyncio.run(scenario())


CHARTED = Message(CHAT, "alert", chart=SIGNAL)
PLAIN = Message(CHAT, "alert", ((command_button("?", f"/why #{REFERENCE}"),),))


@pytest.mark.parametrize("sent", [CHARTED, PLAIN])
@pytest.mark.parametrize("text", ["/why", "why", " WHY?! ", "왜", "왜요?", "이유"])
def test_a_reply_to_an_alert_asks_about_its_signal(
    tmp_path: Path, text: str, sent: Message
) -> None:
    assert read(tmp_path, words(text), sent) == ASKED


def test_who_is_addressed_stays(tmp_path: Path) -> None:
    found = read(tmp_path, words("/why@other_bot"), CHARTED)
    assert found == CommandLine("why", f"#{REFERENCE}", "other_bot")


@pytest.mark.parametrize(
    ("incoming", "expected"),
    [
        (words("why", reply_to=None), None),
        (words("/why", reply_to=None), CommandLine("why", "")),
        (words("whynot"), None),
        (words("/why a b"), CommandLine("why", "a b")),
        (words("/status"), CommandLine("status", "")),
        (words("why", reply_to=78), None),
        (words("why", chat_id=5), None),
        (words("/why", reply_to=78), CommandLine("why", "")),
    ],
)
def test_other_words_and_replies_are_what_they_were(
    tmp_path: Path, incoming: Incoming, expected: CommandLine | None
) -> None:
    assert read(tmp_path, incoming, CHARTED) == expected


def test_a_message_that_tells_of_no_signal_explains_nothing(tmp_path: Path) -> None:
    message = Message(CHAT, "hello", ((command_button("?", "/help"),),))
    assert read(tmp_path, words("why"), message) is None


def test_the_newest_message_counts_where_a_chat_began_anew(tmp_path: Path) -> None:
    assert read(tmp_path, words("why"), Message(CHAT, "hello"), CHARTED) == ASKED
    assert read(tmp_path, words("why"), CHARTED, Message(CHAT, "hello")) is None


@pytest.mark.parametrize(("signal_id", "expected"), [(SIGNAL, ASKED), (None, None)])
def test_an_order_card_asks_about_the_signal_of_its_order(
    tmp_path: Path, signal_id: str | None, expected: CommandLine | None
) -> None:
    order = Order(
        id="o1",
        instrument="KRX:005930",
        side=Side.BUY,
        quantity=Decimal(1),
        price=None,
        state=OrderState.PROPOSED,
        version=1,
        proposed_at=NOW,
        expires_at=NOW,
        reference_price=Decimal(70_000),
        reference_at=NOW,
        max_drift=Decimal("0.003"),
        user_id=1001,
        origin="command",
        signal_id=signal_id,
    )
    card = Message(CHAT, "card", card="order/o1")
    assert read(tmp_path, words("왜"), card, order=order) == expected


def test_a_card_without_its_order_explains_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, words("왜"), Message(CHAT, "card", card="order/o2")) is None
