"""Files of bars, CSV or Parquet, read strictly: what is odd is named with its file and line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from config.registry import suggestion
from market.errors import SourceChanged, SourceUnavailable
from market.sessions import KST
from market.types import Timeframe, Venue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from market.types import InstrumentId

Numbers: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

PRICES: Final = ("open", "high", "low", "close")
NAMES: Final = {
    "start": ("start", "time", "timestamp", "datetime", "date"),
    **{name: (name,) for name in PRICES},
    "volume": ("volume", "vol"),
    "value": ("value", "amount", "turnover", "quote_volume"),
    "instrument": ("instrument", "symbol", "code", "ticker"),
}
"""Columns by what they are called in files, without regard to upper case."""
_NEEDED = ("start", *PRICES, "volume")
_KINDS = (".csv", ".csv.gz", ".parquet")
_KRX = re.compile(r"[0-9A-Z]{6}")
_SINCE = 10**8
"""Numbers below this are no time but a day like 20261120, or nonsense."""
_MS_FROM = 10**11
"""Numbers from here on are milliseconds since 1970, smaller ones seconds."""


@dataclass(frozen=True, slots=True)
class BarColumns:
    """One instrument's bars, oldest first; `starts` are UTC milliseconds.

    `timeframe` is the longest that all starts lie on.
    """

    instrument: InstrumentId
    timeframe: Timeframe
    starts: np.ndarray[Any, np.dtype[np.int64]]
    open: Numbers
    high: Numbers
    low: Numbers
    close: Numbers
    volume: Numbers
    value: Numbers


def bar_files(folder: Path) -> list[Path]:
    """Return the files of bars in a folder, in order of their names."""
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.iterdir() if one.name.lower().endswith(_KINDS))


def read_bar_file(path: Path) -> Iterator[BarColumns]:
    """Yield each instrument's bars; raises SourceUnavailable, or SourceChanged for what is odd."""
    frame = _named(path, _frame(path))
    if not len(frame):
        raise SourceChanged(f"{path} has no rows; remove it or export it again")
    if "instrument" not in frame:
        yield _columns(path, _instrument(path, _stem(path)), frame)
        return
    for name, part in frame.groupby("instrument", sort=True):
        yield _columns(path, _instrument(path, str(name)), part)


def _frame(path: Path) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  # slow to import, and few runs read files of bars

    try:
        if path.name.lower().endswith(".parquet"):
            return pd.read_parquet(path)
        # codes are text: 005930 is not a number
        frame = pd.read_csv(path, dtype=dict.fromkeys(_spelled("instrument"), str))
    except ImportError as error:
        raise SourceUnavailable(
            f"{path}: Parquet needs pyarrow; install it (pip install 'ticktalk[history]')"
            " or write the bars as CSV"
        ) from error
    except OSError as error:
        raise SourceUnavailable(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:  # pandas' own errors are ValueErrors
        raise SourceChanged(f"{path} is no table of bars: {error}; export it again") from error
    return frame


def _spelled(name: str) -> list[str]:
    return [form for one in NAMES[name] for form in (one, one.upper(), one.capitalize())]


def _named(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with our names for its columns."""
    ours = {spelled: name for name, forms in NAMES.items() for spelled in forms}
    renamed: dict[str, str] = {}
    for column in map(str, frame.columns):
        name = ours.get(column.strip().lower())
        if name is None:
            raise SourceChanged(
                f"{path}: unknown column '{column}'{suggestion(column.strip().lower(), ours)};"
                " rename or remove it"
            )
        if name in renamed.values():
            raise SourceChanged(f"{path}: two columns mean '{name}'; remove one")
        renamed[column] = name
    lacking = [name for name in _NEEDED if name not in renamed.values()]
    if lacking:
        known = ", ".join(renamed) or "none"
        raise SourceChanged(f"{path}: no column '{lacking[0]}' (its columns: {known}); add it")
    frame.columns = [renamed[str(column)] for column in frame.columns]
    return frame


def _stem(path: Path) -> str:
    return path.name[: -len(next(one for one in _KINDS if path.name.lower().endswith(one)))]


def _instrument(path: Path, name: str) -> InstrumentId:
    """Return the id that a name stands for: KRX:005930, KRX_005930, 005930, UPBIT_KRW-BTC."""
    prefix, _, code = name.replace(":", "_", 1).partition("_")
    if code and prefix.upper() in set(Venue):
        return f"{prefix.upper()}:{code}"
    if _KRX.fullmatch(name):
        return f"{Venue.KRX}:{name}"
    raise SourceChanged(
        f"{path}: '{name}' names no instrument; write VENUE_CODE (KRX_005930, UPBIT_KRW-BTC) as the"
        " file's name or in a column 'instrument'"
    )


def _columns(path: Path, instrument: InstrumentId, frame: pd.DataFrame) -> BarColumns:
    table = _Table(path, frame)
    starts = table.times(instrument)
    prices = {name: table.numbers(name) for name in PRICES}
    volume = table.numbers("volume")
    value = table.numbers("value") if "value" in frame else volume * prices["close"]
    table.refuse(np.diff(starts, prepend=starts[0] - 1) < 0, "is older than the row before")
    table.refuse(np.diff(starts, prepend=starts[0] - 1) == 0, "has the start of the row before")
    table.refuse(np.minimum.reduce(list(prices.values())) <= 0, "has a price that is not above 0")
    highest, lowest = (
        one([prices["open"], prices["close"]]) for one in (np.maximum.reduce, np.minimum.reduce)
    )
    table.refuse(prices["high"] < highest, "has a high below its open or close")
    table.refuse(prices["low"] > lowest, "has a low above its open or close")
    table.refuse((volume < 0) | (value < 0), "has a volume or value below 0")
    return BarColumns(
        instrument, _timeframe(table, starts), starts, **prices, volume=volume, value=value
    )


class _Table:
    """A table of one instrument that knows in which line of the file a row stands."""

    def __init__(self, path: Path, frame: pd.DataFrame) -> None:
        self._path = path
        self._frame = frame
        self._first = 0 if path.name.lower().endswith(".parquet") else 2

    def refuse(self, is_odd: np.ndarray[Any, Any], what: str) -> None:
        """Raise SourceChanged where a row is odd."""
        if is_odd.any():
            row = int(np.flatnonzero(is_odd)[0])
            line = int(self._frame.index[row]) + self._first
            word = "line" if self._first else "row"
            raise SourceChanged(f"{self._path}, {word} {line} {what}; mend or remove it")

    def numbers(self, name: str) -> Numbers:
        """Return a column of finite numbers."""
        import pandas as pd  # noqa: PLC0415  # as above

        values = pd.to_numeric(self._frame[name], errors="coerce").to_numpy(np.float64)
        self.refuse(~np.isfinite(values), f"has no number as its {name}")
        return values

    def times(self, instrument: InstrumentId) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the column of starts; times without a zone are the venue's."""
        import pandas as pd  # noqa: PLC0415  # as above

        told = self._frame["start"]
        if pd.api.types.is_numeric_dtype(told):
            passed = told.to_numpy(np.float64)
            self.refuse(~(passed >= _SINCE), "has no time as its start (seconds since 1970?)")
            scale = np.where(passed < _MS_FROM, 1000.0, 1.0)
            return np.asarray(np.rint(passed * scale), dtype=np.int64)
        zone = KST if instrument.startswith(f"{Venue.KRX}:") else "UTC"
        try:
            times = pd.to_datetime(told, errors="coerce", format="ISO8601")
        except ValueError:  # some rows have a zone and some have none, or the zone changes
            times = pd.to_datetime(told, errors="coerce", format="ISO8601", utc=True)
        if times.dt.tz is None:
            times = times.dt.tz_localize(zone)
        self.refuse(times.isna().to_numpy(), "has no time (2026-11-20 09:00) as its start")
        utc = times.dt.tz_convert("UTC").dt.tz_localize(None)
        return np.asarray(utc.to_numpy("datetime64[ms]").astype(np.int64), dtype=np.int64)


def _timeframe(table: _Table, starts: np.ndarray[Any, np.dtype[np.int64]]) -> Timeframe:
    """Return the longest timeframe on which all starts lie, by Korean or world time for days."""
    table.refuse(starts % 60_000 != 0, "does not start at a full minute")
    days = len(np.unique((starts + 9 * 3_600_000) // 86_400_000))
    if days == len(starts) and len(np.unique(starts % 86_400_000)) == 1 and len(starts) > 1:
        return Timeframe.D1
    for timeframe in reversed(Timeframe):
        length = int(timeframe.length.total_seconds() * 1000)
        if timeframe is not Timeframe.D1 and not (starts % length).any():
            return timeframe
    return Timeframe.M1
