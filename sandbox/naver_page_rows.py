"""The rows of Naver's pretend older pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market.sessions import KST
from sandbox.market_facts import figures, market_cap
from sandbox.naver_html import change, label, link, number

if TYPE_CHECKING:
    from sandbox.market import Minute, Quote
    from sandbox.market_days import Day
    from sandbox.market_facts import Bought


def time_row(minute: Minute, day_volume: int, before: float) -> list[str]:
    """Return the cells of one minute."""
    ask, bid = minute.close * 1.001, minute.close
    return [
        label(f"{minute.start.astimezone(KST):%H:%M}"),
        number(f"{minute.close:,.0f}"),
        change(minute.close - before),
        *(number(f"{one:,.0f}") for one in (ask, bid, day_volume, minute.volume)),
    ]


def day_row(day: Day, before: Day) -> list[str]:
    """Return the cells of one day."""
    return [
        label(f"{day.day:%Y.%m.%d}"),
        number(f"{day.close:,.0f}"),
        change(day.close - before.close),
        *(number(f"{one:,.0f}") for one in (day.open, day.high, day.low, day.volume)),
    ]


def flow_row(flow: Bought, before: Bought, listed: int) -> list[str]:
    """Return the cells of one day of net buying."""
    moved = flow.day.close - before.day.close
    held = int(flow.held_ratio * listed)
    return [
        label(f"{flow.day.day:%Y.%m.%d}"),
        number(f"{flow.day.close:,.0f}"),
        change(moved),
        number(f"{moved / before.day.close:+.2%}"),
        number(f"{flow.day.volume:,}"),
        number(f"{flow.institutions:+,}"),
        number(f"{flow.foreigners:+,}"),
        number(f"{held:,}"),
        number(f"{flow.held_ratio:.2%}"),
    ]


def list_row(at: int, quote: Quote) -> list[str]:
    """Return the cells of one line of a list."""
    moved, found = quote.price - quote.previous_close, figures(quote)
    per = f"{quote.price / found.eps:.2f}" if found.eps else "N/A"
    values = ["100", f"{market_cap(quote) // 10**8:,}", f"{found.listed // 1000:,}", "33.10"]
    return [
        f'<td class="no">{at}</td>',
        f"<td>{link(quote.instrument.code, quote.instrument.name)}</td>",
        number(f"{quote.price:,.0f}"),
        change(moved),
        number(f"{moved / quote.previous_close:+.2%}"),
        *map(number, [*values, f"{quote.volume:,}", per, "8.57"]),
        '<td class="center"><a href="/item/board.naver"><img alt="토론실"></a>&nbsp;</td>',
    ]


def rank_row(quote: Quote, flow: Bought, investor: str) -> list[str]:
    """Return the cells of one line of a ranking: thousands of shares, millions of won."""
    shares = flow.of(investor)
    amounts = (shares / 1000, shares * flow.day.close / 1e6, flow.day.volume)
    return [
        f'<td><p class="tit">{link(quote.instrument.code, quote.instrument.name)}</p></td>',
        *(f'<td class="number">{one:,.0f}</td>' for one in amounts),
    ]


def sise_row(day: Day) -> str:
    """Return one day in the writing of Python."""
    prices = ", ".join(f"{one:.0f}" for one in (day.open, day.high, day.low, day.close))
    return f'["{day.day:%Y%m%d}", {prices}, {day.volume}, 46.72]'
