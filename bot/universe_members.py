"""Members of universes that depend on markets' lists, and what has to be known for them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from config.load import members, with_members
from config.strict_yaml import Located
from engine.membership import Wish, members_in_force
from engine.universes import Task
from market.errors import StoreError
from market.fact_groups import GROUP_OF_FACT, FactGroup
from market.segments import SEGMENTS
from market.store import Store
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from conditions.compile import Condition
    from config.load import Config
    from market.directory import Directory
    from market.store import Transaction
    from market.types import Instrument, InstrumentId

Told = dict[str, tuple["InstrumentId", ...]]
"""Members by the name of their universe, as the store has them."""


class KnownMembers:
    """The members in force, for whoever reads the files again."""

    def __init__(self) -> None:
        self._told: Told = {}

    def take(self, told: Told) -> None:
        """Put other members in force."""
        self._told = told

    def has(self, name: str) -> bool:
        """Tell whether a universe was ever computed."""
        return name in self._told

    def resolve(self, config: Config) -> Config:
        """Return a configuration with the members in force."""
        return with_members(config, self._told)


def with_stored_universes(config: Config, on: date | None = None) -> Config:
    """Return a configuration with members, and a directory with names, as the store has them.

    The members are those of now, or those on a day. Without a store, or with one of another
    version, as the files have them.
    """
    try:
        with Store.read_only(config.settings.store.path) as store:
            told, listed = store.read(lambda tx: read_universes(tx, config, on))
    except StoreError:
        return config
    learn(config.directory, listed)
    return with_members(config, told)


def read_universes(
    tx: Transaction, config: Config, on: date | None = None
) -> tuple[Told, list[Instrument]]:
    """Return the members in force, and every instrument that a market ever listed."""
    listed = [one.instrument for one in tx.facts.listing()]
    return members_in_force(tx, config.universe_specs, on), listed


def learn(directory: Directory, listed: Iterable[Instrument]) -> None:
    """Let instruments be found by name; what the directory has already stays as it is."""
    for one in listed:
        if directory.get(one.id) is None:
            directory.add(one)


def tasks(config: Config, conditions: Sequence[Condition]) -> list[Task]:
    """Return what has to be known of each venue for the conditions that are watched.

    Universes that none of them names are left alone.
    """
    names = {one.spec.universe.text for one in conditions if isinstance(one.spec.universe, Located)}
    specs = [spec for name, spec in config.universe_specs.items() if name in names]
    wishes = [Wish.of(spec) for spec in specs if spec.segments]
    wanted = _wanted(config, conditions)
    found = []
    for venue in Venue:
        of_venue = {name: groups for name, groups in wanted.items() if _is_at(name, venue)}
        task = Task(
            venue,
            tuple(one for one in wishes if SEGMENTS[one.spec.segments[0]] is venue),
            of_venue,
            _segments(config.directory, of_venue),
        )
        if task.wishes or task.wanted:
            found.append(task)
    return found


def digest(task: Task) -> str:
    """Return a short text that changes with what has to be known."""
    meaning = (
        [(wish.spec.name, wish.spec.version) for wish in task.wishes],
        sorted((name, int(groups)) for name, groups in task.wanted.items()),
        task.segments,
    )
    return hashlib.sha256(repr(meaning).encode()).hexdigest()


def _wanted(config: Config, conditions: Iterable[Condition]) -> dict[InstrumentId, FactGroup]:
    """Return which facts conditions ask of which instruments."""
    found: dict[InstrumentId, FactGroup] = {}
    for condition in conditions:
        groups = FactGroup.NONE
        for name in condition.facts:
            groups |= GROUP_OF_FACT[name]
        if "listed_shares" in condition.facts:  # told with the figures where no list does
            groups |= FactGroup.FIGURES
        for name in (*members(config, condition.spec), *condition.instruments) if groups else ():
            found[name] = found.get(name, FactGroup.NONE) | groups
    return found


def _segments(directory: Directory, wanted: Mapping[InstrumentId, FactGroup]) -> tuple[str, ...]:
    """Return the markets whose lists tell of these: what they are worth, and at which price."""
    needs_list = FactGroup.LISTING | FactGroup.FIGURES
    known = (directory.get(name) for name, groups in wanted.items() if groups & needs_list)
    segments = {one.segment for one in known if one is not None}
    return tuple(one for one in SEGMENTS if one in segments)


def _is_at(name: InstrumentId, venue: Venue) -> bool:
    return name.startswith(f"{venue}:")
