"""Settings of the sources: where to ask for prices, how hard, and with which keys."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from config.settings_base import Key, KisAccount, OrderMarkets, Section, SocketUrl, Url

MOST_VIRTUAL = 2.0
"""Requests a second that KIS's server of virtual accounts answers (KIS Developers)."""


class NaverSettings(Section):
    """How to ask Naver for prices."""

    polling_url: Url = Field(
        default="https://polling.finance.naver.com", description="Server of the batch price polling"
    )
    chart_url: Url = Field(
        default="https://api.stock.naver.com", description="Server of the minute charts"
    )
    front_url: Url = Field(
        default="https://m.stock.naver.com", description="Server of listings and investor flows"
    )
    pages_url: Url = Field(
        default="https://finance.naver.com", description="Server of the older HTML pages"
    )
    rank_url: Url = Field(
        default="https://stock.naver.com", description="Server of what investors bought most"
    )
    sise_url: Url = Field(
        default="https://api.finance.naver.com", description="Server of the older daily charts"
    )
    codes_per_request: int = Field(
        default=300, ge=1, le=900, description="Codes in one polling request"
    )
    requests_per_second: float = Field(
        default=3, gt=0, le=1000, description="Requests a second at most"
    )
    requests_per_day: int = Field(
        default=100_000, ge=1, le=10_000_000, description="Requests a day at most, to each server"
    )
    timeout_seconds: float = Field(
        default=5, gt=0, le=60, description="Seconds to wait for an answer"
    )


class UpbitSettings(Section):
    """How to ask Upbit for prices, and with which keys to trade there."""

    rest_url: Url = Field(default="https://api.upbit.com", description="Server of the REST API")
    socket_url: SocketUrl = Field(
        default="wss://api.upbit.com/websocket/v1", description="Server of live prices"
    )
    private_socket_url: SocketUrl = Field(
        default="wss://api.upbit.com/websocket/v1/private",
        description="Server that tells of our own orders",
    )
    access_key: Key | None = Field(
        default=None,
        description="Access key of Upbit's Open API; only from the environment or .env",
    )
    secret_key: Key | None = Field(
        default=None,
        description="Secret key of Upbit's Open API; only from the environment or .env",
    )
    requests_per_second: float = Field(
        default=8, gt=0, le=1000, description="Requests a second at most (Upbit allows 10)"
    )
    account_requests_per_second: float = Field(
        default=20,
        gt=0,
        le=1000,
        description="Requests about orders and account a second at most (Upbit allows 30)",
    )
    orders_per_second: float = Field(
        default=8, gt=0, le=1000, description="Orders a second at most (Upbit allows 12)"
    )
    market_orders: Literal["market", "best"] = Field(
        default="market",
        description="market takes what stands at every price until it is filled; best only what"
        " stands at the best one, and the rest is cancelled",
    )
    silence_seconds: float = Field(
        default=60, ge=5, le=600, description="A socket silent for so long is opened again"
    )
    timeout_seconds: float = Field(
        default=5, gt=0, le=60, description="Seconds to wait for an answer"
    )


class BinanceSettings(Section):
    """How to ask Binance for prices, and where its orders go: spot and USDT-M futures."""

    spot_url: Url = Field(
        default="https://api.binance.com", description="Server of the spot REST API"
    )
    futures_url: Url = Field(
        default="https://fapi.binance.com", description="Server of the futures REST API"
    )
    spot_socket_url: SocketUrl = Field(
        default="wss://stream.binance.com:9443", description="Server of live spot prices"
    )
    futures_socket_url: SocketUrl = Field(
        default="wss://fstream.binance.com/market", description="Server of live futures prices"
    )
    spot_private_socket_url: SocketUrl = Field(
        default="wss://ws-api.binance.com:443/ws-api/v3",
        description="Server that tells of our own spot orders",
    )
    futures_private_socket_url: SocketUrl = Field(
        default="wss://fstream.binance.com/private",
        description="Server that tells of our own futures orders",
    )
    api_key: Key | None = Field(
        default=None,
        description="API key of Binance (HMAC); only from the environment or .env",
    )
    api_secret: Key | None = Field(
        default=None,
        description="Secret of the API key of Binance; only from the environment or .env",
    )
    orders: OrderMarkets = Field(
        default="spot", description="Where orders may go: spot, futures or both"
    )
    leverage: int = Field(
        default=1,
        ge=1,
        le=5,
        description="Leverage of futures; 1: a position binds its whole worth",
    )
    requests_per_second: float = Field(
        default=10, gt=0, le=1000, description="Requests a second at most"
    )
    silence_seconds: float = Field(
        default=30, ge=5, le=600, description="A socket silent for so long is opened again"
    )
    timeout_seconds: float = Field(
        default=5, gt=0, le=60, description="Seconds to wait for an answer"
    )


class KisSettings(Section):
    """How to ask Korea Investment & Securities for prices, and which account orders go to."""

    rest_url: Url = Field(
        default="https://openapi.koreainvestment.com:9443", description="Server of the REST API"
    )
    socket_url: SocketUrl = Field(
        default="ws://ops.koreainvestment.com:21000", description="Server of live prices"
    )
    app_key: Key | None = Field(
        default=None, description="App key from KIS Developers; only from the environment or .env"
    )
    app_secret: Key | None = Field(
        default=None,
        description="App secret from KIS Developers; only from the environment or .env",
    )
    account: KisAccount | None = Field(
        default=None,
        description="Account that orders go to, as 12345678-01; only from the environment or .env",
    )
    hts_id: Key | None = Field(
        default=None,
        description="HTS login id, by which fills are told; only from the environment or .env",
    )
    is_virtual: bool = Field(
        default=False, description="Whether app key and account are of virtual trading"
    )
    after_market: bool = Field(
        default=False,
        description="Whether /buy and /sell reach the after-market of KRX (16:00-20:00, limits)",
    )
    token_path: str = Field(
        default="kis_token.json",
        min_length=1,
        description="File of the access token, shared by every ticktalk that uses the key",
    )
    requests_per_second: float = Field(
        default=15,
        gt=0,
        le=1000,
        validate_default=True,
        description="Requests a second at most (virtual accounts: never more than 2)",
    )
    silence_seconds: float = Field(
        default=90, ge=5, le=600, description="A socket silent for so long is opened again"
    )
    timeout_seconds: float = Field(
        default=5, gt=0, le=60, description="Seconds to wait for an answer"
    )

    @field_validator("requests_per_second")
    @classmethod
    def _keep_to_the_virtual_pace(cls, rate: float, info: ValidationInfo) -> float:
        return min(rate, MOST_VIRTUAL) if info.data.get("is_virtual") else rate


class CrawlSettings(Section):
    """When and from where prices are crawled."""

    source: str = Field(
        default="naver", min_length=1, description="Name of the source of KRX prices"
    )
    second: str = Field(
        default="", description="Name of the source that stands in for it (kis), none if empty"
    )
    every_seconds: int = Field(default=10, ge=1, le=60, description="Seconds between two sweeps")
    offset_seconds: int = Field(
        default=2,
        ge=0,
        le=30,
        description="Seconds after a full minute at which its closing sweep runs",
    )
    coins_every_seconds: int = Field(
        default=2, ge=1, le=60, description="Seconds between two sweeps of coins"
    )
    history_bars: int = Field(
        default=400, ge=1, le=400, description="Bars back-filled at the start"
    )


class RecordSettings(Section):
    """What is kept of everything that was crawled."""

    path: str = Field(
        default="record",
        min_length=1,
        description="Folder of the raw record, from the working folder",
    )
    max_megabytes: int = Field(
        default=2000, ge=0, le=1_000_000, description="Oldest days go beyond it; 0 records nothing"
    )


class ReplaySettings(Section):
    """What the sources `replay` and `replay-live` play."""

    path: str = Field(
        default="record",
        min_length=1,
        description="Folder of recorded days, or of CSV or Parquet bars, that is played",
    )
