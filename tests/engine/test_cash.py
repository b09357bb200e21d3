"""Cash that differs from what fills moved: told once, explained by costs, agreed by a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pytest

from engine.cash import agree, compare_cash, differing, note_moved
from market.orders import Account, Fill, Side

if TYPE_CHECKING:
    from engine.cash import CashBook
    from market.store import Transaction

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SHARE, COIN, CONTRACT = "KRX:005930", "BINANCE:BTCUSDT", "BINANCE:BTCUSDT.P"


class Documents:
    """Documents without a file."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.puts = 0

    @property
    def documents(self) -> Documents:
        return self

    def get(self, key: str) -> dict[str, Any] | None:
        return self.kept.get(key)

    def put(self, key: str, value: dict[str, Any]) -> None:
        self.puts += 1
        self.kept[key] = value

    def items(self, prefix: str) -> list[tuple[str, dict[str, Any]]]:
        return sorted((k, v) for k, v in self.kept.items() if k.startswith(prefix))


class Bank:
    """A broker's money, as it tells it and as we count it."""

    def __init__(self) -> None:
        self.store = Documents()
        self.tx = cast("Transaction", self.store)
        self.now = NOON
        self.is_moving = False

    def fill(
        self, quantity: int, price: int, cost: str = "0", name: str = SHARE, *, sells: bool = False
    ) -> None:
        side = Side.SELL if sells else Side.BUY
        amounts = Decimal(quantity), Decimal(price), Decimal(cost)
        note_moved(self.tx, "kis", Fill("1", "a", name, side, *amounts, NOON))

    def look(
        self, cash: str, seconds: int = 60, currency: str = "KRW", purse: str = ""
    ) -> tuple[str, CashBook]:
        self.now += timedelta(seconds=seconds)
        account = Account(Decimal(cash), Decimal(0), currency, purse)
        return compare_cash(self.tx, "kis", account, self.now, is_moving=self.is_moving)

    def looks(self, cash: str, count: int = 3) -> list[str]:
        return [self.look(cash)[0] for _ in range(count)]


@pytest.fixture
def bank() -> Bank:
    """Return a bank whose 1,000,000 won are agreed."""
    made = Bank()
    assert made.look("1000000")[0] == ""
    return made


def test_what_fills_have_moved_is_expected(bank: Bank) -> None:
    bank.fill(10, 70_000, "105")
    assert bank.looks("299895") == ["", "", ""]
    bank.fill(10, 71_000, "1600", sells=True)
    assert bank.looks("1008295") == ["", "", ""]
    assert differing(bank.tx) == []


def test_a_difference_is_told_once_with_both_numbers(bank: Bank) -> None:
    assert bank.looks("1500000", 5) == ["", "notice.cash", "", "", ""]
    (one,) = differing(bank.tx)
    assert one.facts == {
        "account": "kis",
        "currency": "KRW",
        "ours": "1,000,000",
        "theirs": "1,500,000",
        "off": "+500,000",
    }


def test_a_difference_that_passes_is_never_told(bank: Bank) -> None:
    assert bank.look("300000")[0] == ""  # the balance knows of a trade before its fill has come
    assert differing(bank.tx) == []
    bank.fill(10, 70_000)
    assert bank.looks("300000") == ["", "", ""]


def test_a_told_difference_that_ends_is_told_once(bank: Bank) -> None:
    bank.looks("300000")
    bank.fill(10, 70_000)
    assert bank.looks("300000") == ["notice.cash_over", "", ""]


def test_a_quick_second_look_does_not_make_it_certain(bank: Bank) -> None:
    bank.look("5")
    assert bank.look("5", seconds=10)[0] == ""
    assert bank.look("5", seconds=45)[0] == "notice.cash"


def test_with_an_order_on_its_way_it_takes_longer_to_be_certain(bank: Bank) -> None:
    bank.is_moving = True
    assert bank.looks("5", 8).index("notice.cash") == 5


def test_more_of_a_difference_is_told_a_day_later(bank: Bank) -> None:
    bank.looks("1500000")
    assert bank.looks("1500007", 20) == [""] * 20
    assert bank.look("1500007", seconds=86_400)[0] == "notice.cash"


def test_rounding_explains_ten_won_a_fill(bank: Bank) -> None:
    bank.fill(1, 70_000, "10")
    bank.fill(1, 70_000, "10")
    exact = 1_000_000 - 140_020
    assert "notice.cash" in bank.looks(str(exact - 21))
    assert bank.looks(str(exact - 20)) == ["notice.cash_over", "", ""]


def test_costs_that_were_paid_in_another_coin_are_no_difference(bank: Bank) -> None:
    assert bank.look("1000", currency="USDT", purse="spot")[0] == ""
    bank.fill(1, 500, "0.5", COIN)
    assert [bank.look("500", currency="USDT", purse="spot")[0] for _ in range(3)] == [""] * 3


def test_purses_are_counted_apart(bank: Bank) -> None:
    for purse in ("spot", "futures"):
        bank.look("1000", currency="USDT", purse=purse)
    bank.fill(1, 300, name=CONTRACT)
    assert bank.look("700", currency="USDT", purse="futures")[1].off is None
    assert bank.look("1000", currency="USDT", purse="spot")[1].off is None
    assert bank.look("1000000")[1].off is None


def test_an_account_without_a_name_pays_for_all_of_its_currency(bank: Bank) -> None:
    bank.look("1000", currency="USDT")
    bank.fill(1, 300, name=CONTRACT)
    bank.fill(1, 200, name=COIN)
    assert bank.look("500", currency="USDT")[1].off is None


def test_agreeing_begins_anew_from_the_last_look(bank: Bank) -> None:
    bank.looks("1500000")
    (one,) = differing(bank.tx)
    bank.fill(10, 70_000)  # traded since the look
    agree(bank.tx, one)
    assert differing(bank.tx) == []
    assert bank.looks("800000") == ["", "", ""]


def test_nothing_is_written_while_all_agrees(bank: Bank) -> None:
    before = bank.store.puts
    bank.looks("1000000", 9)
    assert bank.store.puts == before


def test_what_a_venue_rounds_at_every_look_is_no_difference(bank: Bank) -> None:
    bank.look("1000", currency="USDT")
    assert [bank.look("1000.00000001", currency="USDT")[0] for _ in range(3)] == [""] * 3
