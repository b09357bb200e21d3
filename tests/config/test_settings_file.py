"""settings.yaml with the environment on top."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.load import PACKAGED
from config.settings import Settings, describe_settings, secret_values
from config.settings_file import SECRETS, read_settings
from config.strict_yaml import load_yaml, parse_yaml
from market.errors import ConfigError

SAMPLES = {
    "risk.max_away": "7%",
    "risk.leveraged": "true",
    "risk.shorts": "true",
    "binance.leverage": "2",
    "confirm.ask_exits": "true",
    "access.totp_secret": "JBSWY3DPEHPK3PXP",
    "kis.account": "12345678-01",
    "kis.is_virtual": "true",
    "kis.after_market": "true",
    "telegram.base_url": "http://127.0.0.1:1",
    "telegram.token": "1:abc",
    "binance.orders": "futures",
    "upbit.market_orders": "best",
    "telegram.language": "en",
    "naver.polling_url": "http://127.0.0.1:2",
    "naver.chart_url": "http://127.0.0.1:3/x",
    "crawl.source": "other",
    "store.path": "/tmp/other.sqlite",  # noqa: S108  a text that is never opened
    "broker.name": "other",
    "broker.fee": "0.3%",
    "broker.upbit_fee": "0.3%",
    "broker.binance_fee": "0.3%",
    "broker.binance_futures_fee": "0.3%",
    "broker.volume_share": "20%",
    "confirm.max_drift": "0.1%",
}
"""A value for each setting that is not a plain number."""


def settings(text: str = "", **environ: str) -> Settings:
    return read_settings(parse_yaml(text, "settings.yaml") if text else None, environ)


def refusal(text: str = "", **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(text, **environ)
    return str(caught.value)


def test_nothing_written_is_all_defaults() -> None:
    assert settings() == Settings()


def test_packaged_file_says_the_defaults() -> None:
    assert read_settings(load_yaml(PACKAGED / "settings.yaml"), {}) == Settings()


def test_packaged_file_names_every_setting_but_the_secrets() -> None:
    written = (PACKAGED / "settings.yaml").read_text(encoding="utf-8")
    for name, _, _, meaning in describe_settings():
        if tuple(name.split(".")) not in SECRETS:
            assert f"  {name.partition('.')[2]}:" in written
            assert meaning in written


def test_file_changes_what_it_names() -> None:
    found = settings("broker: {cash: 5_000_000 KRW, fee: 0.02%}\ntelegram:\n  channel: -100123\n")
    assert found.broker.cash == Decimal(5_000_000)
    assert found.broker.fee == Decimal("0.0002")
    assert found.telegram.channel == -100123
    assert found.broker.name == "paper"


def test_empty_section_and_empty_value_keep_defaults() -> None:
    assert settings("telegram:\ncrawl:\n  every_seconds:\n") == Settings()


def _sample(name: str) -> str:
    if name.endswith("socket_url"):
        return "ws://127.0.0.1:81"
    return "http://127.0.0.1:81" if name.endswith("_url") else "7"


@pytest.mark.parametrize(("name", "variable"), [row[:2] for row in describe_settings()])
def test_environment_overrides_every_setting(name: str, variable: str) -> None:
    section, _, key = name.partition(".")
    found = settings("crawl: {every_seconds: 20}", **{variable: SAMPLES.get(name, _sample(name))})
    changed = getattr(getattr(found, section), key)
    assert changed != getattr(getattr(Settings(), section), key)


def test_environment_goes_before_the_file() -> None:
    found = settings("crawl: {every_seconds: 20}", TICKTALK_CRAWL_EVERY_SECONDS="30")
    assert found.crawl.every_seconds == 30


def test_empty_variable_counts_as_not_there() -> None:
    found = settings("crawl: {every_seconds: 20}", TICKTALK_CRAWL_EVERY_SECONDS="")
    assert found.crawl.every_seconds == 20


def test_unknown_variable_is_refused_with_the_nearest_one() -> None:
    assert refusal(TICKTALK_CRAWL_EVERY_SECOND="3") == (
        "environment variable TICKTALK_CRAWL_EVERY_SECOND: unknown setting "
        "'TICKTALK_CRAWL_EVERY_SECOND'; did you mean 'TICKTALK_CRAWL_EVERY_SECONDS'?"
    )


def test_misspelt_section_in_a_variable_is_refused() -> None:
    assert "did you mean 'TICKTALK_TELEGRAM_TOKEN'?" in refusal(TICKTALK_TELEGRM_TOKEN="1:a")


def test_other_variables_are_left_alone() -> None:
    assert settings(TICKTALK_CONFIG="x", TICKTALK_SOMETHING_ELSE="1", PATH="/bin") == Settings()


def test_wrong_value_in_a_variable_names_the_variable() -> None:
    assert refusal(TICKTALK_RISK_MAX_ORDER="lots") == (
        "environment variable TICKTALK_RISK_MAX_ORDER: "
        "risk.max_order: 'lots' is not a number; write 0.003 or 10_000_000"
    )


def test_problems_of_file_and_environment_come_together() -> None:
    message = refusal("crawl: {every_seconds: soon}\nshop: {}", TICKTALK_BROKER_CASH="-1")
    assert "settings.yaml:1:24: crawl.every_seconds: 'soon' is not a whole number" in message
    assert "settings.yaml:2:1: unknown key 'shop'; did you mean" not in message
    assert "unknown key 'shop'" in message
    assert "broker.cash: '-1' is too small; at least 0" in message


def test_token_comes_from_the_environment() -> None:
    token = settings(TICKTALK_TELEGRAM_TOKEN="123:abc_D-e").telegram.token
    assert token is not None
    assert token.get_secret_value() == "123:abc_D-e"


def test_token_is_never_shown() -> None:
    assert "123:secret" not in repr(settings(TICKTALK_TELEGRAM_TOKEN="123:secret"))


def test_wrong_token_is_refused_without_showing_it() -> None:
    message = refusal(TICKTALK_TELEGRAM_TOKEN="123:sec ret")
    assert "not a token" in message
    assert "sec ret" not in message


def test_token_in_the_file_is_refused_without_showing_it() -> None:
    message = refusal("telegram: {token: 123:hidden}")
    assert "write TICKTALK_TELEGRAM_TOKEN=... into .env" in message
    assert "hidden" not in message


def test_a_key_of_a_broker_stands_in_no_file_either() -> None:
    message = refusal("kis: {app_secret: abc}")
    assert "a key does not belong here; write TICKTALK_KIS_APP_SECRET=... into .env" in message
    found = settings(TICKTALK_KIS_APP_SECRET="planted-secret")
    assert "planted-secret" not in repr(found)
    assert secret_values(found) == ["planted-secret"]


@pytest.mark.parametrize("url", ["https://host", "ws://", "host:1", "ws://a b"])
def test_the_address_of_a_socket_is_checked(url: str) -> None:
    assert "is not an address" in refusal(TICKTALK_UPBIT_SOCKET_URL=url)


def test_a_secret_that_lacks_a_letter_is_told_before_somebody_needs_it() -> None:
    assert "not a whole secret" in refusal(TICKTALK_ACCESS_TOTP_SECRET="JBSWY3DPEHPK3PXPA")


def test_an_account_is_hidden_however_it_is_written() -> None:
    found = settings(TICKTALK_KIS_ACCOUNT="12345678-01")
    assert secret_values(found) == ["12345678-01", "1234567801", "12345678"]
    assert "12345678" not in repr(found)
    assert "not an account" in refusal(TICKTALK_KIS_ACCOUNT="1234-5")
    assert "true or false" in refusal(TICKTALK_KIS_IS_VIRTUAL="maybe")


def test_a_virtual_account_is_asked_twice_a_second_at_most() -> None:
    assert settings().kis.requests_per_second == 15
    assert settings(TICKTALK_KIS_IS_VIRTUAL="true").kis.requests_per_second == 2
    slow = {"TICKTALK_KIS_IS_VIRTUAL": "true", "TICKTALK_KIS_REQUESTS_PER_SECOND": "1"}
    assert settings(**slow).kis.requests_per_second == 1
