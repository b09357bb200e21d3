"""Reads a folder of conditions: shared expressions, templates, and names across files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.condition_names import read_shared
from config.condition_reader import read_conditions, read_template
from config.registry import suggestion
from config.strict_yaml import Located, MapNode, load_yaml
from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from config.condition_file import ConditionSpec, Let, Muting
    from config.condition_reader import Surroundings
    from config.strict_yaml import Node
    from market.errors import Problem
    from market.types import InstrumentId

SHARED = "_shared"
"""The name, without its ending, of the file whose named expressions all conditions may use."""


class ConditionFolder:
    """The conditions of a folder; what is wrong with any of them gathers in `problems`, once.

    `universes` are the members of those that are known.
    """

    def __init__(
        self,
        files: Iterable[Path],
        surroundings: Surroundings,
        universes: Mapping[str, Sequence[InstrumentId]] | None = None,
    ) -> None:
        self._universes = universes or {}
        self._problems: dict[Problem, None] = {}
        self._names: dict[str, Located] = {}
        self._nodes: list[Node] = []
        self._are_all_read = True
        shared: tuple[Let, ...] = ()
        for path in files:
            try:
                node = load_yaml(path)
                if path.stem == SHARED:
                    shared = read_shared(node)
                else:
                    self._nodes.append(node)
            except ConfigError as error:
                self._note(error)
        self._around = replace(surroundings, named=self._named(), shared=shared)
        self.conditions = tuple(spec for node in self._nodes for spec in self._read(node))
        if self._are_all_read:
            self._check_muting()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong, file by file; a mistake in a template comes up once."""
        return tuple(sorted(self._problems, key=lambda each: each.file))

    def _named(self) -> dict[str, MapNode]:
        """Return conditions and templates by name; the first keeps a name that is taken twice."""
        named: dict[str, MapNode] = {}
        for node in self._nodes:
            name = _name(node)
            if name is not None and isinstance(node, MapNode):
                named.setdefault(name.text, node)
        return named

    def _read(self, node: Node) -> tuple[ConditionSpec, ...]:
        specs: tuple[ConditionSpec, ...] = ()
        name = _name(node)
        try:
            if is_template(node):
                read_template(node, self._around)
            else:
                specs = read_conditions(node, self._around)
        except ConfigError as error:
            self._note(error)
        if name is not None:
            self._check_names(name, [spec.name for spec in specs] or [name.text])
        return specs

    def _check_names(self, written: Located, names: list[str]) -> None:
        for name in names:
            first = self._names.setdefault(name, written)
            if first is not written:
                message = f"a condition named '{name}' is already in {first.file}"
                self._problems[written.problem(message)] = None

    def _check_muting(self) -> None:
        """Note who is silenced by what does not exist, cannot be told in time, or is itself."""
        known = {spec.name: spec for spec in self.conditions}
        for spec in self.conditions:
            if spec.muted_by is None:
                continue
            problem = _muting_problem(spec, spec.muted_by.condition, known)
            problem = problem or self._unwatched(spec.muted_by, known)
            if problem is not None:
                self._problems[problem] = None

    def _unwatched(self, muting: Muting, known: Mapping[str, ConditionSpec]) -> Problem | None:
        """Return the problem of naming an instrument that the silencing condition never sees."""
        watched = self._members(known[muting.condition.text])
        if muting.instrument is None or watched is None or muting.instrument in watched:
            return None
        message = f"'{muting.condition.text}' does not watch {muting.instrument}"
        return muting.condition.problem(message)

    def _members(self, spec: ConditionSpec) -> Sequence[InstrumentId] | None:
        if isinstance(spec.universe, Located):
            return self._universes.get(spec.universe.text)
        return spec.universe

    def _note(self, error: ConfigError) -> None:
        self._are_all_read = False
        self._problems |= dict.fromkeys(error.problems)


def is_template(node: Node) -> bool:
    """Return whether a condition file is only there to be extended."""
    found = node.get("template") if isinstance(node, MapNode) else None
    return isinstance(found, Located) and found.text == "true"


def _name(node: Node) -> Located | None:
    found = node.get("name") if isinstance(node, MapNode) else None
    return found if isinstance(found, Located) and found.text.strip() else None


def _muting_problem(
    spec: ConditionSpec, written: Located, known: Mapping[str, ConditionSpec]
) -> Problem | None:
    muter = known.get(written.text)
    if muter is None:
        hint = suggestion(written.text, [name for name in known if name != spec.name])
        return written.problem(f"unknown condition '{written.text}'{hint}")
    if muter.timeframe is not spec.timeframe:
        message = f"'{muter.name}' has bars of {muter.timeframe}, this condition of"
        return written.problem(f"{message} {spec.timeframe}; both must have the same")
    chain = [spec.name]
    while muter is not None and muter.name not in chain:
        chain.append(muter.name)
        muter = known.get(muter.muted_by.condition.text) if muter.muted_by else None
    if muter is not None and muter.name == spec.name:
        return written.problem(f"silences itself: {' -> '.join([*chain, spec.name])}")
    return None
