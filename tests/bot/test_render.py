"""Cards: what a person reads before and after they decide."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.html_text import CAPTION_LIMIT, length, to_plain
from bot.render import ChatCards
from bot.render_alert import change_since, leaf_text
from bot.reply import command_button
from bot.texts import Texts
from config.condition_file import AlertSpec
from engine.ports import OrderView
from market.orders import Order, OrderState, Side
from market.signals import Explanation, Leaf, Signal, Snapshot
from market.types import Instrument, Timeframe, Venue, Verdict, to_ms
from tests.bot.chat_world import NOW, OWNER, TRADER, VIEWER

if TYPE_CHECKING:
    from market.messages import Message, Person

SAMSUNG = Instrument(Venue.KRX, "005930", "삼성전자")
ODD = Instrument(Venue.KRX, "000001", "A&B <c>")
CARDS = ChatCards(
    Texts.load(), language="ko", describe={"volume-breakout": "거래량 & 돌파"}.__getitem__
)
LEAVES = (
    Leaf("close / sma(close, 60) - 1 > 2%", 0.0341, ">", 0.02, "ratio", Verdict.TRUE),
    Leaf("volume > 6 * sma(volume, 20)", 120_000, ">", 84_000, "volume", Verdict.TRUE),
    Leaf("rsi(14) < 70", math.nan, "<", 70, "points", Verdict.UNKNOWN),
)


def make_signal(*leaves: Leaf, is_late: bool = False, days: int = 1) -> Signal:
    """Return a signal whose snapshot has bars of yesterday and today."""
    starts = (to_ms(NOW - timedelta(days=days)), to_ms(NOW - timedelta(minutes=5)), to_ms(NOW))
    closes = (70_000.0, 71_000.0, 71_500.0)
    return Signal(
        "volume-breakout:1:KRX:005930:0",
        "volume-breakout",
        "1",
        "KRX:005930",
        Timeframe.M5,
        NOW - timedelta(minutes=5),
        NOW,
        71_500.0,
        Explanation(Verdict.TRUE, leaves or LEAVES),
        Snapshot(Timeframe.M5, starts, closes, closes, closes, closes, closes),
        is_late,
    )


def alert(signal: Signal, person: Person = TRADER, spec: AlertSpec | None = None) -> Message:
    """Return the alert for one person."""
    spec = spec or AlertSpec("high", chart=True)
    (message,) = CARDS.alert(signal, SAMSUNG, spec, [person], None)
    return message


def make_order(state: OrderState = OrderState.PROPOSED, **changes: object) -> Order:
    """Return an order for ten shares of Samsung."""
    values: dict[str, object] = {
        "id": "abcdefghij23",
        "version": 3,
        "instrument": SAMSUNG.id,
        "side": Side.BUY,
        "quantity": Decimal(10),
        "price": Decimal(71_500),
        "state": state,
        "user_id": TRADER.id,
        "origin": "command",
        "proposed_at": NOW,
        "expires_at": NOW + timedelta(seconds=90),
        "reference_price": Decimal(71_500),
        "reference_at": NOW,
        "max_drift": Decimal("0.003"),
    }
    return Order(**{**values, **changes})  # type: ignore[arg-type]  # named values of a test


def make_view(signal: Signal | None = None) -> OrderView:
    """Return the facts around an order."""
    return OrderView(
        price=71_500.0,
        price_age_seconds=2.4,
        cost=Decimal(715_000),
        fee=Decimal(107),
        tax=Decimal(0),
        equity=Decimal(10_000_000),
        buying_power_after=Decimal(9_284_893),
        seconds_left=90,
        signal=signal,
    )


def card(order: Order, person: Person = TRADER, signal: Signal | None = None) -> Message:
    """Return the card of an order."""
    return CARDS.order(order, SAMSUNG, make_view(signal), person)


def test_alert_says_what_fired_when_at_which_price_and_why() -> None:
    assert to_plain(alert(make_signal()).text).splitlines() == [
        "🚨 삼성전자 (005930)",
        "71,500 KRW  🔺 +2.14% (since yesterday)",
        "Condition volume-breakout · 5m · 11-24 10:30 KST",
        "거래량 & 돌파",
        "✅ close / sma(close, 60) - 1 > 2% → 3.41% > 2.00%",
        "✅ volume > 6 * sma(volume, 20) → 120,000 > 84,000",
        "❔ rsi(14) < 70 → – < 70.00",
    ]


def test_alert_dates_what_held_on_an_earlier_bar() -> None:
    then = datetime(2026, 11, 24, 1, 5, tzinfo=UTC)
    leaf = replace(LEAVES[0], held_at=then)
    shown = leaf_text(Texts.load(), "en", leaf, "KRW")
    assert shown.endswith("on the bar of 11-24 10:05: 3.41% &gt; 2.00%")
    assert "11-24 10:05" in leaf_text(Texts.load(), "ko", leaf, "KRW")


def test_alert_escapes_facts() -> None:
    (message,) = CARDS.alert(make_signal(), ODD, AlertSpec(), [TRADER], None)
    assert "A&amp;B &lt;c&gt;" in message.text
    assert "<code>rsi(14) &lt; 70</code>" in message.text


def test_alert_with_a_chart_fits_a_caption() -> None:
    many = tuple(
        Leaf(f"close > {number} * sma(close, {number})", 1, ">", 2, "price", Verdict.TRUE)
        for number in range(60)
    )
    message = alert(make_signal(*many))
    assert length(message.text) <= CAPTION_LIMIT
    assert "more" in message.text.splitlines()[-1]
    whole = alert(make_signal(*many), spec=AlertSpec("normal", chart=False))
    assert length(whole.text) > CAPTION_LIMIT
    assert whole.chart is None


def test_late_alert_says_so() -> None:
    assert alert(make_signal(is_late=True)).text.startswith("⏰")


def test_low_severity_is_silent() -> None:
    assert alert(make_signal(), spec=AlertSpec("low")).is_silent
    assert not alert(make_signal(), spec=AlertSpec("high")).is_silent


def test_everybody_reads_in_their_own_language_and_the_channel_in_ours() -> None:
    messages = CARDS.alert(make_signal(), SAMSUNG, AlertSpec(), [OWNER, TRADER], -100)
    assert [message.chat_id for message in messages] == [OWNER.id, TRADER.id, -100]
    assert ["전일" in message.text for message in messages] == [True, False, True]


def test_alert_offers_buying_to_traders_only() -> None:
    data = [[button.data for row in alert(make_signal(), one).buttons for button in row] for one in
            (TRADER, VIEWER)]  # fmt: skip
    why = f"c:/why #{make_signal().reference}"
    assert data == [["c:/buy 005930", why, "c:/positions"], [why, "c:/positions"]]


def test_channel_has_no_order_buttons_and_links_once_the_bot_is_known() -> None:
    cards = ChatCards(Texts.load())
    (before,) = cards.alert(make_signal(), SAMSUNG, AlertSpec(), [], -100)
    cards.bot_name = "ticktalk_bot"
    (after,) = cards.alert(make_signal(), SAMSUNG, AlertSpec(), [], -100)
    assert before.buttons == ()
    assert [(button.data, button.url) for button in after.buttons[0]] == [
        ("", "https://t.me/ticktalk_bot?start=i_005930")
    ]


def test_change_is_against_the_last_bar_of_an_earlier_day() -> None:
    against, ratio = change_since(make_signal().snapshot)
    assert against == "day"
    assert ratio == pytest.approx(1.5 / 70)
    assert change_since(make_signal(days=0).snapshot)[0] == "bars"


def test_change_of_a_single_bar_is_unknown() -> None:
    lone = Snapshot(Timeframe.M5, (0,), (1.0,), (1.0,), (1.0,), (1.0,), (1.0,))
    assert math.isnan(change_since(lone)[1])


def test_proposal_shows_all_that_matters() -> None:
    lines = to_plain(card(make_order(version=1), OWNER, make_signal()).text).splitlines()
    assert lines[:5] == [
        "🔴 매수 주문을 확인해 주세요",
        "삼성전자 (005930) 10주 · 지정가 71,500원",
        "현재가 71,500원 (2초 전)",
        "예상 금액 715,000원 · 수수료 107원 · 세금 0원",
        "자산의 7.2% · 주문 후 매수 가능 9,284,893원",
    ]
    assert "조건 volume-breakout에서 나온 주문" in lines
    assert "⏳ 10:31:30까지 확인해 주세요 (90초). 확인 전에는 주문이 나가지 않습니다." in lines
    assert lines[-1] == "#abcdefghij23"


def test_proposal_has_confirm_and_decline() -> None:
    message = card(make_order())
    assert message.card == "order/abcdefghij23"
    assert message.chat_id == TRADER.id
    assert [button.data for button in message.buttons[0]] == [
        "oc:abcdefghij23:3",
        "od:abcdefghij23:3",
    ]


def test_proposal_can_be_changed_in_two_rows_of_three() -> None:
    message = card(make_order(), OWNER, make_signal())
    assert [[button.label for button in row] for row in message.buttons[1:]] == [
        ["½ 절반", "×2 두 배", "시장가로"],
        ["▼ 한 호가", "▲ 한 호가", "❓ 왜?"],
    ]
    assert [button.data for row in message.buttons[1:] for button in row] == [
        "oa:half:abcdefghij23:3",
        "oa:double:abcdefghij23:3",
        "oa:market:abcdefghij23:3",
        "oa:down:abcdefghij23:3",
        "oa:up:abcdefghij23:3",
        f"c:/why #{make_signal().reference}",
    ]
    longest = make_order(id="x" * 24, version=999_999)
    data = [button.data for row in card(longest).buttons for button in row]
    assert max(len(one.encode()) for one in data) <= 64


def test_market_order_has_no_ticks_to_go() -> None:
    message = card(make_order(price=None))
    assert [[button.label for button in row] for row in message.buttons[1:]] == [
        ["½ Half", "×2 Double", "Limit"]
    ]


def test_changed_card_says_what_was_changed() -> None:
    facts = (("old", "10"), ("new", "20"))
    text = card(make_order(version=2, code="adjust.double", facts=facts)).text
    assert "✏️ <b>Quantity 10 → 20</b>" in text
    assert "The price moved" not in text


def test_second_version_says_that_the_price_moved() -> None:
    assert "The price moved" in card(make_order(version=2)).text
    assert "The price moved" not in card(make_order(version=1)).text


@pytest.mark.parametrize("state", list(OrderState))
@pytest.mark.parametrize("person", [OWNER, TRADER], ids=["ko", "en"])
def test_every_state_has_its_card(state: OrderState, person: Person) -> None:
    code = "" if state is OrderState.PROPOSED else "risk.cash"
    message = card(make_order(state, code=code), person)
    assert length(message.text) < CAPTION_LIMIT
    data = [button.data.split(":")[0] for row in message.buttons for button in row]
    expected = {
        OrderState.PROPOSED: ["oc", "od", "oa", "oa", "oa", "oa", "oa"],
        OrderState.ACCEPTED: ["ox"],
        OrderState.PARTIALLY_FILLED: ["ox"],
    }
    assert data == expected.get(state, [])


def test_denied_card_says_why_in_words() -> None:
    assert (
        "Why: Not enough buying power."
        in card(make_order(OrderState.DENIED, code="risk.cash")).text
    )


def test_unknown_reason_is_shown_as_it_is() -> None:
    text = card(make_order(OrderState.REJECTED, code="APBK0919")).text
    assert "other (APBK0919)" in text


def test_filled_card_shows_the_result() -> None:
    order = make_order(
        OrderState.FILLED,
        filled_quantity=Decimal(10),
        average_price=Decimal("71490.5"),
        cost=Decimal(107),
    )
    text = to_plain(card(order).text)
    assert "10 shares filled · average 71,491 KRW" in text
    assert "Amount 714,905 KRW · costs 107 KRW" in text


def test_cancel_that_was_asked_for_has_no_button() -> None:
    message = card(make_order(OrderState.ACCEPTED, is_cancel_requested=True))
    assert message.buttons == ()
    assert "Cancel requested" in message.text


def test_cancelled_card_tells_what_was_filled_before() -> None:
    order = make_order(
        OrderState.CANCELED, filled_quantity=Decimal(4), average_price=Decimal(71_500)
    )
    assert "4 shares · average 71,500 KRW" in to_plain(card(order).text)


def test_notice_is_told_in_the_readers_words() -> None:
    facts = {
        "fill": "f1", "order": "o1", "instrument": "KRX:005930",
        "side": "buy", "quantity": "3", "price": "71,500",
    }  # fmt: skip
    (message,) = CARDS.notice("notice.foreign_fill", [OWNER], **facts)
    assert "🔴 매수 3 @ 71,500" in message.text


def test_button_data_must_fit() -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        command_button("x", "/buy " + "가" * 30)


def test_a_stop_at_the_venue_shows_the_price_from_which_on_it_trades() -> None:
    facts = (("stop", "67900.00"),)
    stop = make_order(
        OrderState.FILLED, price=None, side=Side.SELL, origin="protection:venue_stop", facts=facts
    )
    assert "stop at 67,900 KRW" in to_plain(card(stop).text)
