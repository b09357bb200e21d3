"""The plug-ins that settings name, and whether what the user wrote can run with them."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

import brokers
import crawlers
from bot.command import load_commands
from brokers.broker import BROKERS
from conditions.compile import compile_all
from conditions.ranking import compile_universe
from conditions.reference import Reference
from config.load import members
from config.settings import environment_name
from config.strict_yaml import Located, MapNode, load_yaml
from crawlers.source import SOURCES
from market.errors import ConfigError, Problem
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType
    from typing import Any

    from conditions.compile import Condition
    from config.load import Config
    from config.registry import Registry
    from engine.series import Members


def load_plugins() -> None:
    """Import every source, broker and command, so that all of them are registered."""
    for package in (crawlers, brokers):
        _import_all(package)
    load_commands()


def compile_config(config: Config) -> tuple[Condition, ...]:
    """Return the conditions that are watched, ready to judge; those that are off must compile too.

    Raises ConfigError with every mistake in them and every source or broker that does not exist.
    """
    return tuple(one for one in compile_library(config) if one.spec.is_enabled)


def compile_library(config: Config) -> tuple[Condition, ...]:
    """Return all conditions, behind the watched ones those that are off; raises as above."""
    load_plugins()
    settings = config.settings
    problems = [
        *_unknown(config, SOURCES, "crawl", "source", settings.crawl.source),
        *_second(config),
        *_unknown(config, BROKERS, "broker", "name", settings.broker.name),
        *_brokers(config),
    ]
    problems += _rankings(config)
    conditions = (*config.conditions, *config.off)
    reference = Reference(config.calendars, config.directory, config.universes)
    try:
        compiled = compile_all(conditions, settings.crawl.history_bars, reference)
    except ConfigError as error:
        raise ConfigError((*problems, *error.problems)) from error
    if problems:
        raise ConfigError(tuple(problems))
    return compiled


def members_of(config: Config, conditions: Iterable[Condition]) -> list[Members]:
    """Return the conditions of a configuration with the instruments that they watch."""
    return [(condition, members(config, condition.spec)) for condition in conditions]


def _rankings(config: Config) -> list[Problem]:
    """Return what is wrong with the expressions of universes, also of those that nobody names."""
    problems: list[Problem] = []
    for spec in config.universe_specs.values():
        try:
            compile_universe(spec)
        except ConfigError as error:
            problems += error.problems
    return problems


def _import_all(package: ModuleType) -> None:
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")


def _unknown(
    config: Config, registry: Registry[Any], section: str, key: str, name: str
) -> list[Problem]:
    if name in registry:
        return []
    message = f"{section}.{key}: {registry.unknown(name)}"
    return [_place(config, section, key, name).problem(message)]


def _second(config: Config) -> list[Problem]:
    """Return what is wrong with the source that is to stand in, if one is named."""
    crawl = config.settings.crawl
    if not crawl.second:
        return []
    if crawl.second == crawl.source:
        message = f"crawl.second: {crawl.second} cannot stand in for itself"
        return [_place(config, "crawl", "second", crawl.second).problem(message)]
    return _unknown(config, SOURCES, "crawl", "second", crawl.second)


def _brokers(config: Config) -> list[Problem]:
    """Return what is wrong with the brokers that are named for one venue alone."""
    problems = []
    for venue in Venue:
        key, name = venue.lower(), config.settings.broker.named_for(venue)
        if not name:
            continue
        problems += _unknown(config, BROKERS, "broker", key, name)
        if name in BROKERS and venue not in BROKERS.get(name).venues:
            able = " or ".join(one for one in BROKERS if venue in BROKERS.get(one).venues)
            message = f"broker.{key}: {name} does not trade at {venue}; name {able}"
            problems.append(_place(config, "broker", key, name).problem(message))
    return problems


def _place(config: Config, section: str, key: str, name: str) -> Located:
    """Return where a setting was written: in settings.yaml, or else in the environment."""
    path = config.folder / "settings.yaml"
    node = load_yaml(path) if path.is_file() else None
    for step in (section, key):
        node = node.get(step) if isinstance(node, MapNode) else None
    if isinstance(node, Located) and node.text == name:
        return node
    return Located(name, f"environment variable {environment_name(section, key)}", 0, 0)
