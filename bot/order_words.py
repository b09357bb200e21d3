"""What a person types after /buy and /sell, read without guessing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.incoming import cut
from market.currency import KRW, USDT, currency_of
from market.errors import UsageError
from market.types import Kind

if TYPE_CHECKING:
    from market.directory import Directory
    from market.types import Instrument

MOST_QUANTITY = Decimal(1_000_000_000)
MOST_AMOUNT = Decimal(1_000_000_000_000)
ALL_WORDS = frozenset({"전부", "모두", "전량", "all"})
MARKET_WORDS = frozenset({"시장가", "market"})

_NUMBER = r"([+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,8})?)"
_AMOUNT = re.compile(r"₩?" + _NUMBER + r"(만원|만|원|krw|usdt)", re.IGNORECASE)
_CURRENCY = re.compile(r"만원|만|원|krw|usdt")
_PERCENT = re.compile(_NUMBER + "%")
_TEN_THOUSAND = frozenset({"만원", "만"})
_QUANTITY = re.compile(_NUMBER + r"(?:주|개|shares?)?", re.IGNORECASE)
_PRICE = re.compile(_NUMBER + r"(?:원|krw|usdt)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OrderWords:
    """An order as typed: no quantity, amount or percent means "ask how many".

    `amount` is money in the instrument's currency, `percent` a part of what is held or can be
    spent; no price means a market order.
    """

    instrument: Instrument
    quantity: Decimal | None
    price: Decimal | None
    is_all: bool = False
    amount: Decimal | None = None
    percent: Decimal | None = None

    @property
    def is_sized(self) -> bool:
        """Tell whether the size is money or a part of something instead of a number."""
        return self.amount is not None or self.percent is not None


class UnknownInstrument(UsageError):
    """Nobody of this name; `near` are like it, `tail` are the quantity and price typed with it."""

    def __init__(self, name: str, near: tuple[Instrument, ...], tail: str) -> None:
        code = "instrument.did_you_mean" if near else "instrument.unknown"
        super().__init__(code, name=cut(name))
        self.near = near
        self.tail = tail


def read_order(args: str, directory: Directory) -> OrderWords:
    """Return the typed order; UsageError says which word is wrong and why.

    The instrument is the longest beginning that is a known code or name, so names may hold
    spaces and numbers (`KODEX 200 10`).
    """
    words = unicodedata.normalize("NFKC", args[:400]).split()
    if not words:
        raise UsageError("usage.no_instrument")
    for count in range(len(words), 0, -1):
        instrument = directory.find(" ".join(words[:count]))
        if instrument is not None:
            return _with_tail(instrument, words[count:])
    raise _unknown(words, directory)


def _joined(tail: list[str]) -> list[str]:
    """Return the words with a currency that stands alone put behind its number: `100 USDT`."""
    found: list[str] = []
    for word in tail:
        if found and word.lower() in {"usdt", "krw", "원"}:
            found[-1] += word
        else:
            found.append(word)
    return found


def _with_tail(instrument: Instrument, tail: list[str]) -> OrderWords:
    tail = _joined(tail)
    if not tail:
        return OrderWords(instrument, None, None)
    if len(tail) > 2:
        raise UsageError("usage.too_many_words", words=cut(" ".join(tail[2:])))
    for word in tail:
        _check_money(word, instrument)
    price = read_price(tail[1]) if len(tail) == 2 else None
    if tail[0].lower() in ALL_WORDS:
        return OrderWords(instrument, None, price, is_all=True)
    if _AMOUNT.fullmatch(tail[0]):
        return OrderWords(instrument, None, price, amount=read_amount(tail[0]))
    if _PERCENT.fullmatch(tail[0]):
        return OrderWords(instrument, None, price, percent=read_percent(tail[0]))
    return OrderWords(instrument, read_quantity(tail[0], instrument), price)


def _check_money(word: str, instrument: Instrument) -> None:
    """Raise UsageError for money that the instrument is not paid in: nothing is exchanged."""
    found = _CURRENCY.search(word.lower())
    if found is None:
        return
    currency = USDT if found[0] == "usdt" else KRW
    paid = currency_of(instrument.id)
    if currency != paid:
        facts = {"name": instrument.name, "currency": paid, "word": cut(word)}
        raise UsageError("usage.other_money", **facts)


def read_amount(word: str) -> Decimal:
    """Return an amount above zero, of `500,000원`, `50만원`, `500000KRW` or `100USDT`."""
    match = _AMOUNT.fullmatch(word)
    if match is None:
        raise UsageError("usage.amount_unreadable", word=cut(word))
    amount = Decimal(match[1].replace(",", ""))
    if match[2] in _TEN_THOUSAND:
        amount *= 10_000
    if not 0 < amount <= MOST_AMOUNT:
        raise UsageError("usage.amount_unreadable", word=cut(word))
    return amount


def read_percent(word: str) -> Decimal:
    """Return a share of more than 0 and at most 100 %."""
    match = _PERCENT.fullmatch(word)
    percent = Decimal(0) if match is None else Decimal(match[1].replace(",", ""))
    if not 0 < percent <= 100:
        raise UsageError("usage.percent_range", word=cut(word))
    return percent


def read_quantity(word: str, instrument: Instrument) -> Decimal:
    """Return a quantity above zero, whole where only whole shares trade."""
    match = _QUANTITY.fullmatch(word)
    if match is None:
        raise UsageError("usage.quantity_unreadable", word=cut(word))
    quantity = Decimal(match[1].replace(",", ""))
    if quantity <= 0:
        raise UsageError("usage.quantity_not_positive", word=cut(word))
    if quantity > MOST_QUANTITY:
        raise UsageError("usage.quantity_too_large", word=cut(word))
    if instrument.kind is not Kind.COIN and quantity != quantity.to_integral_value():
        raise UsageError("usage.quantity_not_whole", word=cut(word))
    return quantity


def read_price(word: str) -> Decimal | None:
    """Return a limit price above zero, or None for a market order asked for by name."""
    if word.lower() in MARKET_WORDS:
        return None
    match = _PRICE.fullmatch(word.removeprefix("@"))
    if match is None:
        raise UsageError("usage.price_unreadable", word=cut(word))
    price = Decimal(match[1].replace(",", ""))
    if price <= 0:
        raise UsageError("usage.price_not_positive", word=cut(word))
    return price


def _unknown(words: list[str], directory: Directory) -> UnknownInstrument:
    """Split at the first word after the name's first that reads like a quantity."""
    at = next(
        (index for index, word in enumerate(words) if index and _is_size(word)),
        len(words),
    )
    name = " ".join(words[:at])
    tail = [
        word
        for word in words[at : at + 2]
        if _is_size(word) or _PRICE.fullmatch(word.removesuffix("주"))
    ]
    return UnknownInstrument(name, tuple(directory.suggest(name, 5)), " ".join(tail))


def _is_size(word: str) -> bool:
    return any(form.fullmatch(word) for form in (_QUANTITY, _AMOUNT, _PERCENT))
