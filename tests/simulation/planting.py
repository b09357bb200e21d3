"""Plant known bugs into copies of the program, one at a time, and let the harness find them.

`python -m tests.simulation.planting [NAME ...]` plants those bugs, all of them without a name, and
tells which seed finds each. A patch begins with what the bug is and the broker that it shows at;
what it changes must be in the program exactly once.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent / "planted"
PACKAGES = ("brokers", "conditions", "config", "crawlers", "engine", "market", "sandbox", "venues")
MOST_SEEDS = 400
"""After so many seeds a bug counts as not found."""
CAUGHT, ESCAPED = 0, 1


@dataclass(frozen=True, slots=True)
class Hunk:
    """A place in a file: what stands there, and what the bug makes of it."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """One planted bug."""

    name: str
    what: str
    broker: str
    file: str
    hunks: tuple[Hunk, ...]

    def spoiled(self, text: str) -> str:
        """Return the file's text with the bug; ValueError where it does not fit any more."""
        for hunk in self.hunks:
            if text.count(hunk.old) != 1:
                raise ValueError(f"{self.name} does not fit {self.file} any more: cut it anew")
            text = text.replace(hunk.old, hunk.new)
        return text


def bugs() -> list[Bug]:
    """Return all planted bugs by name."""
    return [read_bug(path) for path in sorted(PATCHES.glob("*.patch"))]


def read_bug(path: Path) -> Bug:
    """Read a patch: two lines about it, then a unified diff of one file."""
    what, broker, *diff = path.read_text(encoding="utf-8").splitlines(keepends=True)
    file = next(line for line in diff if line.startswith("+++ b/"))[6:].strip()
    hunks = re.split(r"^@@.*@@.*\n", "".join(diff), flags=re.MULTILINE)[1:]
    return Bug(
        path.stem,
        what.strip(),
        broker.removeprefix("broker:").strip(),
        file,
        tuple(_hunk(one.splitlines(keepends=True)) for one in hunks),
    )


def plant(bug: Bug, target: Path) -> None:
    """Make a copy of the program with the bug in it; what is the same is linked."""
    spoiled = bug.file.partition("/")[0]
    for package in PACKAGES:
        if package == spoiled:
            shutil.copytree(ROOT / package, target / package)
        else:
            (target / package).symlink_to(ROOT / package)
    (target / "tests").symlink_to(ROOT / "tests")
    path = target / bug.file
    path.write_text(bug.spoiled(path.read_text(encoding="utf-8")), encoding="utf-8")


def find(bug: Bug, most_seeds: int = MOST_SEEDS) -> str:
    """Return how the harness finds a bug, "" where it does not: in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        plant(bug, Path(folder))
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _hunt(bug, folder, most_seeds, writer)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as told:
            story = told.read()
        os.waitpid(child, 0)
    return story


def _hunt(bug: Bug, folder: str, most_seeds: int, writer: int) -> None:
    """Play seeds on the spoiled program until one fails; this process ends here."""
    sys.path.insert(0, folder)
    logging.disable(logging.CRITICAL)
    try:
        story = _play(bug.broker, most_seeds)
    except BaseException as error:  # noqa: BLE001  a program that cannot even begin is found, too
        story = f"at once: {error!r}"
    os.write(writer, story.encode())
    os._exit(CAUGHT)


def _play(broker: str, most_seeds: int) -> str:
    # Only now, when the path leads to the spoiled program: that is why it cannot stand above.
    from tests.simulation.world import run_seed  # noqa: PLC0415

    for seed in range(most_seeds):
        report = run_seed(broker, seed)
        if report.violations:
            kind, text = report.violations[0]
            return f"by seed {seed}: {kind}: {text}"
    return ""


def _hunk(lines: list[str]) -> Hunk:
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    return Hunk(old, new)


def main(words: list[str]) -> int:
    """Plant bugs; return 1 if one was not found. A number says how many seeds may be needed."""
    _load_others()
    names = [word for word in words if not word.isdigit()]
    most_seeds = next((int(word) for word in words if word.isdigit()), MOST_SEEDS)
    wanted = [bug for bug in bugs() if not names or bug.name in names]
    escaped = 0
    for bug in wanted:
        story = find(bug, most_seeds)
        escaped += not story
        sys.stdout.write(f"{bug.name} ({bug.broker}): {story or 'NOT FOUND'}\n")
        sys.stdout.flush()
    sys.stdout.write(f"planted={len(wanted)} found={len(wanted) - escaped}\n")
    return ESCAPED if escaped else CAUGHT


def _load_others() -> None:
    """Load what is not ours once, before a process is made for each bug."""
    for name in ("sqlmodel", "httpx", "pydantic", "starlette.applications", "holidays", "numpy"):
        __import__(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
