"""The settings and their table."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from config.settings import NaverSettings, Settings, TelegramSettings, describe_settings


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings.crawl, "every_seconds", 5)  # noqa: B010  mypy would refuse it too


@pytest.mark.parametrize(
    ("instrument", "fee"),
    [
        ("KRX:005930", "0.00015"),
        ("UPBIT:KRW-BTC", "0.0005"),
        ("BINANCE:BTCUSDT", "0.001"),
        ("BINANCE:BTCUSDT.P", "0.0005"),
    ],
)
def test_each_venue_has_its_own_fee(instrument: str, fee: str) -> None:
    assert Settings().broker.fee_at(instrument) == Decimal(fee)


def test_every_setting_has_a_meaning() -> None:
    rows = describe_settings()
    assert all(meaning for _, _, _, meaning in rows)
    assert len({name for name, _, _, _ in rows}) == len(rows)


def test_table_names_variable_and_default() -> None:
    rows = {name: (variable, default) for name, variable, default, _ in describe_settings()}
    assert rows["crawl.every_seconds"] == ("TICKTALK_CRAWL_EVERY_SECONDS", "10")
    assert rows["telegram.base_url"] == (
        "TICKTALK_TELEGRAM_BASE_URL",
        "https://api.telegram.org",
    )
    assert rows["telegram.token"] == ("TICKTALK_TELEGRAM_TOKEN", "")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8081", "https://api.telegram.org", "http://[::1]:80", "http://host"]
)
def test_base_address_is_taken(url: str) -> None:
    assert TelegramSettings(base_url=url).base_url == url


@pytest.mark.parametrize(
    "url", ["", "api.telegram.org", "ftp://host", "http://host/", "http://host/bot", "http://a:b@c"]
)
def test_base_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="is not an address"):
        TelegramSettings(base_url=url)


def test_address_with_a_path_is_taken_without_its_last_slash() -> None:
    assert NaverSettings(chart_url="http://host:1/a/b/").chart_url == "http://host:1/a/b"


@pytest.mark.parametrize("url", ["host", "http://host/a b", "http://host?x=1", "http://host/#a"])
def test_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="is not an address"):
        NaverSettings(polling_url=url)
