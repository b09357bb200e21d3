"""Rows of the pretend KIS: every number is text, changes carry a sign and a sign code."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from market.prices import price_limits, step_price
from market.sessions import KST

if TYPE_CHECKING:
    from datetime import date, datetime

    from sandbox.market import Minute, Quote
    from sandbox.market_days import Day

Row = dict[str, Any]

_MARKETS = {"KOSPI": "KOSPI", "KOSDAQ": "KSQ150"}


def sign(price: float, base: float, quote: Quote) -> str:
    """Return the code of a change: 1 upper limit, 2 up, 3 unchanged, 4 lower limit, 5 down."""
    lower, upper = price_limits(Decimal(int(base)), quote.instrument.kind)
    if price == float(upper):
        return "1"
    if price == float(lower):
        return "4"
    return "2" if price > base else "5" if price < base else "3"


def whole(number: float) -> str:
    """Return a count or an amount of won as text."""
    return f"{number:.0f}"


def ratio(number: float, base: float) -> str:
    """Return a change in percent as text."""
    return f"{100 * (number - base) / base:.2f}"


def price_row(quote: Quote) -> Row:
    """Return one row of the multi-price answer; nobody offers or bids while nothing trades."""
    base, kind = quote.previous_close, quote.instrument.kind
    lower, upper = price_limits(Decimal(int(base)), kind)
    has_book = quote.status != "CLOSE" and not quote.is_halted
    ask = step_price(Decimal(int(quote.price)), kind, 1) if has_book else 0
    bid = quote.price if has_book else 0
    orders = quote.volume % 90_000 + 1_000 if has_book else 0
    return {
        "kospi_kosdaq_cls_name": _MARKETS.get(quote.instrument.segment, quote.instrument.segment),
        "mrkt_trtm_cls_name": "",
        "hour_cls_code": "0",
        "inter_shrn_iscd": quote.instrument.code,
        "inter_kor_isnm": quote.instrument.name,
        "inter2_prpr": whole(quote.price),
        "inter2_prdy_vrss": whole(quote.price - base),
        "prdy_vrss_sign": sign(quote.price, base, quote),
        "prdy_ctrt": ratio(quote.price, base),
        "acml_vol": str(quote.volume),
        "inter2_oprc": whole(quote.open),
        "inter2_hgpr": whole(quote.high),
        "inter2_lwpr": whole(quote.low),
        "inter2_llam": whole(float(lower)),
        "inter2_mxpr": whole(float(upper)),
        "inter2_askp": whole(float(ask)),
        "inter2_bidp": whole(bid),
        "seln_rsqn": str(orders // 7),
        "shnu_rsqn": str(orders // 9),
        "total_askp_rsqn": str(orders),
        "total_bidp_rsqn": str(orders),
        "acml_tr_pbmn": whole(quote.value),
        "inter2_prdy_clpr": whole(base),
        "oprc_vrss_hgpr_rate": ratio(quote.high, quote.open) if quote.open else "0.00",
        "intr_antc_cntg_vrss": "0",
        "intr_antc_cntg_vrss_sign": "3",
        "intr_antc_cntg_prdy_ctrt": "0.00",
        "intr_antc_vol": "0",
        "inter2_sdpr": whole(base),
    }


def unknown_price_row(code: str) -> Row:
    """Return the row of a code that does not exist: zeros (how KIS answers is not documented)."""
    numbers = ("inter2_prpr", "inter2_prdy_vrss", "acml_vol", "inter2_oprc", "inter2_hgpr")
    more = ("inter2_lwpr", "acml_tr_pbmn", "total_askp_rsqn", "total_bidp_rsqn")
    return {
        "inter_shrn_iscd": code,
        "inter_kor_isnm": "",
        "prdy_vrss_sign": "3",
        **dict.fromkeys(numbers + more, "0"),
    }


def head_row(quote: Quote) -> Row:
    """Return what charts show of the instrument beside their rows."""
    change = quote.price - quote.previous_close
    return {
        "prdy_vrss": whole(change),
        "prdy_vrss_sign": sign(quote.price, quote.previous_close, quote),
        "prdy_ctrt": ratio(quote.price, quote.previous_close),
        "stck_prdy_clpr": whole(quote.previous_close),
        "acml_vol": str(quote.volume),
        "acml_tr_pbmn": whole(quote.value),
        "hts_kor_isnm": quote.instrument.name,
        "stck_prpr": whole(quote.price),
    }


def minute_row(minute: Minute, total: float) -> Row:
    """Return one row of a minute chart; `total` is the value of the day so far."""
    return {
        **_label(minute.start),
        "stck_prpr": whole(minute.close),
        "stck_oprc": whole(minute.open),
        "stck_hgpr": whole(minute.high),
        "stck_lwpr": whole(minute.low),
        "cntg_vol": str(minute.volume),
        "acml_tr_pbmn": whole(total),
    }


def still_row(at: datetime, last: Row, volume: str) -> Row:
    """Return the row of a minute in which nothing has traded yet: the last price."""
    prices = ("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr")
    return last | _label(at) | dict.fromkeys(prices, last["stck_prpr"]) | {"cntg_vol": volume}


def day_row(day: Day, before: float) -> Row:
    """Return one row of the daily chart."""
    change = day.close - before
    return {
        "stck_bsop_date": f"{day.day:%Y%m%d}",
        "stck_clpr": whole(day.close),
        "stck_oprc": whole(day.open),
        "stck_hgpr": whole(day.high),
        "stck_lwpr": whole(day.low),
        "acml_vol": str(day.volume),
        "acml_tr_pbmn": whole(day.value),
        "flng_cls_code": "00",
        "prtt_rate": "0.00",
        "mod_yn": "N",
        "prdy_vrss_sign": "2" if change > 0 else "5" if change < 0 else "3",
        "prdy_vrss": whole(change),
        "revl_issu_reas": "",
    }


def investor_row(day: date, close: float, bought: tuple[int, int, int] | None) -> Row:
    """Return one row of net buying (individuals, foreigners, institutions); blank if not told."""
    names = ("prsn", "frgn", "orgn")
    shares = ["", "", ""] if bought is None else [str(one) for one in bought]
    values = ["", "", ""] if bought is None else [whole(one * close / 1e6) for one in bought]
    return {
        "stck_bsop_date": f"{day:%Y%m%d}",
        "stck_clpr": whole(close),
        **{f"{name}_ntby_qty": one for name, one in zip(names, shares, strict=True)},
        **{f"{name}_ntby_tr_pbmn": one for name, one in zip(names, values, strict=True)},
    }


def renamed(row: Row) -> Row:
    """Return a row as after a redesign: prices under other names."""
    return {name.replace("prpr", "price").replace("clpr", "last"): row[name] for name in row}


def _label(at: datetime) -> Row:
    local = at.astimezone(KST)
    return {"stck_bsop_date": f"{local:%Y%m%d}", "stck_cntg_hour": f"{local:%H%M}00"}
