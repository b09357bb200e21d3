"""Plant known bugs into the program, one at a time, and let the harness find them.

`python -m tests.simulation.planting [NAME ...] [SEEDS]` plants those bugs, all of them without a
name, tells which seed finds each, and notes a new one in its patch: a change of the program makes
other stories. A patch begins with what the bug is, the broker that it shows at and the seed that
finds it; what it changes must be in the program exactly once. Where the third line names actions,
people do just those, and `faults` is how often the network fails:

    seed: 3, faults: 0.3, actions: propose confirm confirm
"""

from __future__ import annotations

import logging
import os
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.simulation.spoiling import spoil
from tests.simulation.world import Plan, run_seed

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent / "planted"
MOST_SEEDS = 100
"""After so many seeds a bug counts as not found."""
CAUGHT, ESCAPED = 0, 1
MISPLANTED = ("NameError(", "TypeError(", "AttributeError(", "ImportError(")


@dataclass(frozen=True, slots=True)
class Hunk:
    """A place in a file: what stands there, and what the bug makes of it."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """One planted bug, and how it is found."""

    name: str
    what: str
    broker: str
    seed: int
    plan: Plan
    file: str
    hunks: tuple[Hunk, ...]

    @property
    def module(self) -> str:
        """Return the name of the module that it spoils."""
        return self.file.removesuffix(".py").replace("/", ".")

    def spoiled(self) -> str:
        """Return the file's text with the bug; ValueError where it does not fit any more."""
        text = (ROOT / self.file).read_text(encoding="utf-8")
        for hunk in self.hunks:
            if text.count(hunk.old) != 1:
                raise ValueError(f"{self.name} does not fit {self.file} any more: cut it anew")
            text = text.replace(hunk.old, hunk.new)
        return text


def bugs() -> list[Bug]:
    """Return all planted bugs by name."""
    return [read_bug(path) for path in sorted(PATCHES.glob("*.patch"))]


def read_bug(path: Path) -> Bug:
    """Read a patch: three lines about it, then a unified diff of one file."""
    what, broker, story, *diff = path.read_text(encoding="utf-8").splitlines(keepends=True)
    file = next(line for line in diff if line.startswith("+++ b/"))[6:].strip()
    hunks = re.split(r"^@@.*@@.*\n", "".join(diff), flags=re.MULTILINE)[1:]
    told = dict(part.strip().split(": ") for part in story.split(","))
    faults = told.get("faults")
    plan = Plan(
        actions=told["actions"].split() if "actions" in told else None,
        fault_chance=None if faults is None else float(faults),
    )
    return Bug(
        path.stem,
        what.strip(),
        broker.removeprefix("broker:").strip(),
        int(told["seed"]),
        plan,
        file,
        tuple(_hunk(one.splitlines(keepends=True)) for one in hunks),
    )


def note_seed(bug: Bug, seed: int) -> None:
    """Write the seed that finds a bug into its patch."""
    path = PATCHES / f"{bug.name}.patch"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"\nseed: {bug.seed}", f"\nseed: {seed}", 1), encoding="utf-8")


def find(bug: Bug, seeds: Iterable[int]) -> tuple[int, str] | None:
    """Return which of the seeds finds a bug and how, None where none does.

    The program is spoiled in a process of its own, which ends with the search.
    """
    text = bug.spoiled()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _hunt(bug, text, seeds, writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as told:
        seed, _, story = told.read().partition(" ")
    os.waitpid(child, 0)
    return (int(seed), story) if story else None


def _hunt(bug: Bug, text: str, seeds: Iterable[int], writer: int) -> None:
    """Play seeds on the spoiled program until one fails; this process ends here."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    story = ""
    try:
        spoil(bug.module, text)
        story = _play(bug, seeds)
    except BaseException as error:  # noqa: BLE001  a bug that does not even load is none
        sys.stderr.write(f"{bug.name} cannot be played: {error!r}\n")
        sys.stderr.flush()
    finally:
        os.write(writer, story.encode())
        os._exit(CAUGHT)


def _play(bug: Bug, seeds: Iterable[int]) -> str:
    # Not those loaded above: they are of the honest program.
    from tests.simulation import world  # noqa: PLC0415

    for seed in seeds:
        report = world.run_seed(bug.broker, seed, bug.plan)
        if report.violations:
            kind, text = report.violations[0]
            if any(word in text for word in MISPLANTED):
                raise ValueError(text)  # the patch itself is at fault: any test would see that
            return f"{seed} {kind}: {text}"
    return ""


def _hunk(lines: list[str]) -> Hunk:
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    return Hunk(old, new)


def main(words: list[str]) -> int:
    """Plant bugs; return 1 if one was not found. A number says how many seeds may be needed."""
    logging.disable(logging.CRITICAL)
    names = [word for word in words if not word.isdigit()]
    most_seeds = next((int(word) for word in words if word.isdigit()), MOST_SEEDS)
    wanted = [bug for bug in bugs() if not names or bug.name in names]
    for broker in {bug.broker for bug in wanted}:
        run_seed(broker, 0)  # so that all of the program is loaded before it is spoiled
    escaped = 0
    for bug in wanted:
        story = _searched(bug, most_seeds)
        escaped += not story.startswith("by seed")
        sys.stdout.write(f"{bug.name} ({bug.broker}): {story}\n")
        sys.stdout.flush()
    sys.stdout.write(f"planted={len(wanted)} found={len(wanted) - escaped}\n")
    return ESCAPED if escaped else CAUGHT


def _searched(bug: Bug, most_seeds: int) -> str:
    """Return which seed finds a bug, or what is wrong; note the seed if it is a new one."""
    try:
        found = find(bug, [bug.seed, *range(most_seeds)])
    except ValueError as error:
        return str(error)
    if found is None:
        return "NOT FOUND"
    if found[0] != bug.seed:
        note_seed(bug, found[0])
    return f"by seed {found[0]}: {found[1]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
