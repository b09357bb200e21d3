"""One websocket of the pretend Binance, without its wire: its streams, and what is due on them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.binance import PretendBinance, Told
    from sandbox.binance_faults import Faults

LONGEST_LIFE = timedelta(hours=24)
MOST_STREAMS = 1024
LONGEST_MESSAGE = 8192
"""Longer ones were seen to be ignored without a word; no document says so."""
_KLINES = "@kline_1m"


class BinanceSession:
    """Combined streams of one connection: `{"stream": ..., "data": ...}`.

    Names of streams that do not exist are taken and stay silent, as in earnest. Who says more than
    the market allows in a second is shut out.
    """

    def __init__(
        self, venue: PretendBinance, faults: Faults, names: Iterable[str], now: datetime
    ) -> None:
        self._venue = venue
        self._faults = faults
        self._opened_at = now
        self._streams: dict[str, Told | None] = {}
        self._answers: list[Any] = []
        self._heard: list[float] = []
        self._odd_sent = len(faults.odd)
        self.is_over = False
        self._subscribe(names, now)

    def hear(self, text: str, now: datetime, second: float) -> None:
        """Take a message of the client; `second` is a running count of real time."""
        self._faults.heard.append(text)
        self._heard = [at for at in self._heard if second - at < 1] + [second]
        if len(self._heard) > (10 if self._venue.is_futures else 5):
            self.is_over = True
        elif len(text.encode()) <= LONGEST_MESSAGE:
            self._answers.append(self._answer(text, now))

    def frames(self, now: datetime) -> list[str]:
        """Return what is due now."""
        if now - self._opened_at >= LONGEST_LIFE:
            self.is_over = True
        due = [*self._answers, *self._events(now)]
        texts = [orjson.dumps(one).decode() for one in due] + self._faults.odd[self._odd_sent :]
        self._answers, self._odd_sent = [], len(self._faults.odd)
        return [] if self._faults.is_stalled else texts  # what is stalled is lost for good

    def _events(self, now: datetime) -> Iterator[dict[str, Any]]:
        for name, told in self._streams.items():
            if told is None:
                continue
            symbol = name.removesuffix(_KLINES).upper()
            events, self._streams[name] = self._venue.events(symbol, told, now)
            for event in events:
                is_lost = event["k"]["x"] and symbol in self._faults.unclosed
                if not is_lost and symbol not in self._faults.lost:
                    yield {"stream": name, "data": event}

    def _answer(self, text: str, now: datetime) -> dict[str, Any]:
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return {"error": {"code": 3, "msg": f"Invalid JSON: {error}"}}
        if not isinstance(said, dict) or not isinstance(said.get("id"), int):
            return {"error": {"code": 2, "msg": "Invalid request: missing field `id`"}}
        names = said.get("params", [])
        match said.get("method"):
            case "SUBSCRIBE" if len({*self._streams, *names}) > MOST_STREAMS:
                return {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": said["id"]}
            case "SUBSCRIBE":
                self._subscribe(names, now)
            case "UNSUBSCRIBE":
                for name in names:
                    self._streams.pop(name, None)
            case "LIST_SUBSCRIPTIONS":
                return {"result": list(self._streams), "id": said["id"]}
            case method:
                text = f"Invalid request: unknown variant `{method}`"
                return {"error": {"code": 2, "msg": text}, "id": said["id"]}
        return {"result": None, "id": said["id"]}

    def _subscribe(self, names: Iterable[str], now: datetime) -> None:
        known = set(self._venue.market.symbols)
        for name in names:
            symbol = name.removesuffix(_KLINES).upper()
            is_ours = symbol in known and name == f"{symbol.lower()}{_KLINES}"
            if name not in self._streams:
                self._streams[name] = self._venue.told(symbol, now) if is_ours else None
