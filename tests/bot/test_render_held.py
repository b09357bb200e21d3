"""What a card says of limits, of what holds it back, and of orders that nobody taps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.render_order import order_text
from bot.texts import LANGUAGES, Texts
from engine.ports import OrderView
from engine.risk_case import Denial
from engine.trading import REASONS
from market.orders import Order, OrderState, Otherwise, Side
from market.types import Instrument, Venue

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
SAMSUNG = Instrument(Venue.KRX, "005930", "삼성전자")
TEXTS = Texts.load()
VIEW = OrderView(
    price=70_000.0,
    price_age_seconds=1,
    cost=Decimal(700_000),
    fee=Decimal(105),
    tax=Decimal(0),
    equity=Decimal(10_000_000),
    buying_power_after=Decimal(9_000_000),
    seconds_left=80,
)


def order(**changes: Any) -> Order:
    made = Order(
        id="aaaaaaaaaaaa",
        version=1,
        instrument=SAMSUNG.id,
        side=Side.BUY,
        quantity=Decimal(10),
        price=None,
        state=OrderState.PROPOSED,
        user_id=1,
        origin="command",
        proposed_at=NOW,
        expires_at=NOW + timedelta(seconds=90),
        reference_price=Decimal(70_000),
        reference_at=NOW,
        max_drift=Decimal("0.003"),
    )
    return replace(made, **changes)


def card(language: str, made: Order, hold: str = "") -> str:
    return order_text(TEXTS, language, made, SAMSUNG, replace(VIEW, hold=hold))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "code",
    ["notional", "position", "market", "total", "day", "daily_loss", "away", "cash", "tick"],
)
def test_a_denied_card_gives_the_limit_and_what_was_asked_for(language: str, code: str) -> None:
    denial = Denial(f"risk.{code}", "3,000,000", "3,010,000")
    text = card(language, order(state=OrderState.DENIED, code=denial.code, facts=denial.told))
    assert TEXTS.plain(denial.code, language) in text
    assert "3,000,000" in text
    assert "3,010,000" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_denied_card_without_numbers_has_none(language: str) -> None:
    text = card(language, order(state=OrderState.DENIED, code="risk.cash"))
    assert TEXTS.plain("risk.cash", language) in text
    assert "None" not in text
    assert "{" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_adopted_order_says_where_it_came_from(language: str) -> None:
    said = TEXTS.get("card.foreign", language)
    adopted = order(state=OrderState.ACCEPTED, origin="foreign")
    assert said in card(language, adopted)
    assert said not in card(language, order(state=OrderState.ACCEPTED))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", [("KRX", "UPBIT"), ("", "")])
def test_a_card_denied_for_its_venue_can_be_read(language: str, told: tuple[str, str]) -> None:
    denial = Denial("risk.venue", *told)
    text = card(language, order(state=OrderState.DENIED, code=denial.code, facts=denial.told))
    assert all(word in text for word in told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_card_says_what_to_do_and_what_the_broker_said(language: str) -> None:
    told = (("told", "binance answered -1021 <ahead>"),)
    text = card(language, order(state=OrderState.REJECTED, code="rejected.clock", facts=told))
    assert TEXTS.plain("rejected.clock", language) in text
    assert "-1021 &lt;ahead&gt;" in text
    assert "-1021" not in card(language, order(code="rejected.clock", facts=told))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hold", sorted(REASONS.values()))
def test_a_card_that_waits_says_what_holds_it_back(language: str, hold: str) -> None:
    assert f"⛔ {TEXTS.plain(hold, language)}" in card(language, order(), hold)
    assert "⛔" not in card(language, order())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", [OrderState.ACCEPTED, OrderState.FILLED, OrderState.CANCELED])
def test_a_card_says_that_nobody_tapped(language: str, state: OrderState) -> None:
    said = TEXTS.plain("card.automatic", language)
    assert said in card(language, order(state=state, is_automatic=True))
    assert said not in card(language, order(state=state))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_says_what_comes_of_no_answer(language: str) -> None:
    said = TEXTS.plain("card.otherwise", language)
    assert said in card(language, order(otherwise=Otherwise.LIMIT))
    assert said not in card(language, order(otherwise=Otherwise.LIMIT, state=OrderState.DECLINED))
    assert said not in card(language, order())
