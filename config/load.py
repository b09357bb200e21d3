"""Finds the configuration and loads all of it, with the problems of all files at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from config.calendar_file import read_special_days
from config.condition_folder import ConditionFolder
from config.condition_reader import Surroundings
from config.instruments import read_instruments
from config.packaged import PACKAGED, write_folder
from config.settings import Settings
from config.settings_file import read_settings
from config.strict_yaml import Located, load_yaml
from config.universe_file import read_universe
from market.directory import Directory
from market.errors import ConfigError, Problem
from market.sessions import AlwaysOpen, KrxCalendar
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from config.calendar_file import SpecialDays
    from config.condition_file import ConditionSpec
    from config.strict_yaml import Node
    from config.universe_file import UniverseSpec
    from market.sessions import Calendar
    from market.types import Instrument, InstrumentId

__all__ = [
    "PACKAGED",
    "Config",
    "find_settings",
    "load",
    "members",
    "reload",
    "reloaded_files",
    "with_members",
    "write_folder",
]

T = TypeVar("T")

USUAL = Path("config") / "settings.yaml"
"""Where settings are looked for in the working folder."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a user has written, checked in form; `folder` is where settings.yaml lies.

    `conditions` are watched; `off` are those that are not enabled. `instruments` are those of
    instruments.yaml; `directory` begins with them and may come to hold what markets list.
    `universes` are members by name: of a universe that depends on a market's list those that the
    files tell, until `with_members` tells more.
    """

    folder: Path
    settings: Settings
    universes: Mapping[str, tuple[InstrumentId, ...]]
    conditions: tuple[ConditionSpec, ...]
    directory: Directory
    calendars: Mapping[Venue, Calendar]
    off: tuple[ConditionSpec, ...] = ()
    instruments: Mapping[InstrumentId, Instrument] = field(default_factory=dict)
    universe_specs: Mapping[str, UniverseSpec] = field(default_factory=dict)


def find_settings(option: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the settings file: the option, TICKTALK_CONFIG, config/settings.yaml, the packaged.

    A folder stands for the settings.yaml in it. A named file that does not exist is a ConfigError.
    """
    variable = environ.get("TICKTALK_CONFIG", "").strip()
    if option is not None:
        return _named(option, "--config")
    if variable:
        return _named(Path(variable), "TICKTALK_CONFIG")
    return USUAL if USUAL.is_file() else PACKAGED / "settings.yaml"


def load(settings_path: Path, environ: Mapping[str, str]) -> Config:
    """Load a settings file and what lies beside it; raises ConfigError with all problems.

    Where instruments.yaml, krx_calendar.yaml or universes/ are not there, the packaged ones are
    used; without conditions/ there are no conditions.
    """
    return _Loader(settings_path.parent).load(settings_path, environ)


def reload(config: Config) -> Config:
    """Load universes and conditions again; raises ConfigError with all problems.

    Settings, instruments and calendars stay as they were loaded.
    """
    return _Loader(config.folder).reload(config)


def reloaded_files(folder: Path) -> list[Path]:
    """Return the files that `reload` reads, as they are there now."""
    return [*_files(_place(folder, "universes")), *_files(folder / "conditions")]


def members(config: Config, spec: ConditionSpec) -> tuple[InstrumentId, ...]:
    """Return the instruments that a condition watches."""
    if isinstance(spec.universe, Located):
        return config.universes[spec.universe.text]
    return spec.universe


def with_members(config: Config, told: Mapping[str, Iterable[InstrumentId]]) -> Config:
    """Return the configuration with the members of universes that depend on markets' lists.

    What the files say of `always` and `never` counts at once, whatever was told.
    """
    universes = dict(config.universes)
    for name, spec in config.universe_specs.items():
        if spec.segments and name in told:
            universes[name] = spec.with_exceptions(told[name])
    return replace(config, universes=universes)


class _Loader:
    """Reads file after file and keeps what is wrong with each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._problems: list[Problem] = []

    def load(self, settings_path: Path, environ: Mapping[str, str]) -> Config:
        settings = self._read(settings_path, lambda node: read_settings(node, environ))
        instruments = self._read(_place(self._folder, "instruments.yaml"), read_instruments)
        special = self._read(_place(self._folder, "krx_calendar.yaml"), read_special_days)
        specs, conditions = self._watched(settings or Settings(), instruments)
        if settings is None or instruments is None or special is None or self._problems:
            raise ConfigError(tuple(self._problems))
        watched, off = _apart(conditions)
        return Config(
            folder=self._folder,
            settings=settings,
            universes=_known_members(specs, instruments),
            conditions=watched,
            directory=Directory(instruments.values()),
            calendars=_calendars(special),
            off=off,
            instruments=instruments,
            universe_specs=specs,
        )

    def reload(self, config: Config) -> Config:
        specs, conditions = self._watched(config.settings, config.instruments)
        if self._problems:
            raise ConfigError(tuple(self._problems))
        watched, off = _apart(conditions)
        universes = _known_members(specs, config.instruments)
        return replace(
            config, universes=universes, universe_specs=specs, conditions=watched, off=off
        )

    def _watched(
        self, settings: Settings, instruments: Mapping[InstrumentId, Instrument] | None
    ) -> tuple[dict[str, UniverseSpec], tuple[ConditionSpec, ...]]:
        specs, are_all_known = self._universes(instruments)
        known = tuple(specs) if are_all_known else None
        surroundings = Surroundings(settings.confirm, known, instruments)
        settled = {name: spec for name, spec in specs.items() if not spec.segments}
        members = _known_members(settled, instruments or {})
        return specs, self._conditions(surroundings, members)

    def _read(self, path: Path, read: Callable[[Node], T]) -> T | None:
        try:
            return read(load_yaml(path))
        except ConfigError as error:
            self._problems += error.problems
            return None

    def _universes(
        self, instruments: Mapping[InstrumentId, Instrument] | None
    ) -> tuple[dict[str, UniverseSpec], bool]:
        """Return the universes that can be read, and whether these are all."""
        universes: dict[str, UniverseSpec] = {}
        are_all_known = True
        for path in _files(_place(self._folder, "universes")):
            universe = self._read(path, lambda node: read_universe(node, instruments))
            if universe is None:
                are_all_known = False
            elif universe.name in universes:
                first = universes[universe.name].located
                self._problems.append(_twice(universe.located, first))
            else:
                universes[universe.name] = universe
        return universes, are_all_known

    def _conditions(
        self, surroundings: Surroundings, members: Mapping[str, tuple[InstrumentId, ...]]
    ) -> tuple[ConditionSpec, ...]:
        folder = ConditionFolder(_files(self._folder / "conditions"), surroundings, members)
        self._problems += folder.problems
        return folder.conditions


def _named(named: Path, origin: str) -> Path:
    path = named / "settings.yaml" if named.is_dir() else named
    if path.is_file():
        return path
    message = f"no such file (named by {origin}); `ticktalk init DIR` writes a folder"
    raise ConfigError((Problem.about(str(path), message),))


def _place(folder: Path, name: str) -> Path:
    beside = folder / name
    return beside if beside.exists() else PACKAGED / name


def _known_members(
    specs: Mapping[str, UniverseSpec], instruments: Mapping[InstrumentId, Instrument]
) -> dict[str, tuple[InstrumentId, ...]]:
    return {name: spec.known(instruments.values()) for name, spec in specs.items()}


def _apart(
    specs: tuple[ConditionSpec, ...],
) -> tuple[tuple[ConditionSpec, ...], tuple[ConditionSpec, ...]]:
    """Return those that are enabled, and those that are not."""
    off = tuple(spec for spec in specs if not spec.is_enabled)
    return tuple(spec for spec in specs if spec.is_enabled), off


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def _twice(name: Located, first: Located) -> Problem:
    return name.problem(f"a universe named '{name.text}' is already in {first.file}")


def _calendars(special: SpecialDays) -> dict[Venue, Calendar]:
    return {
        Venue.KRX: KrxCalendar(special),
        Venue.UPBIT: AlwaysOpen(),
        Venue.BINANCE: AlwaysOpen(),
    }
