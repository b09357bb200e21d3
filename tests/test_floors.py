"""The walls: who may import whom, and where each vendor library may appear."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "market": {"market"},
    "config": {"config", "market"},
    "venues": {"venues", "config", "market"},
    "crawlers": {"crawlers", "venues", "config", "market"},
    "conditions": {"conditions", "config", "market"},
    "brokers": {"brokers", "venues", "config", "market"},
    "engine": {"engine", "crawlers", "conditions", "brokers", "config", "market"},
    "bot": {"bot", "engine", "crawlers", "conditions", "brokers", "config", "market"},
    "sandbox": {"sandbox", "market"},
}
SANDBOX_GUESTS = ("bot/demo",)
"""Only the demo (and the tests) may know the pretend world."""

VENDORS = {
    "telegram": ("bot/telegram",),
    "apscheduler": ("bot/jobs",),
    "sqlmodel": ("market/tables", "market/store"),
    "sqlalchemy": ("market/tables", "market/store"),
    "sqlite3": ("market/store",),
    "ta": ("conditions/indicators/",),
    "numba": ("conditions/indicators/",),
    "starlette": ("sandbox/",),
    "uvicorn": ("sandbox/",),
    "websockets": ("sandbox/", "venues/live_socket"),
    "bs4": ("crawlers/",),
    "matplotlib": ("bot/charts",),
    "pyotp": ("bot/second_factor",),
}
NO_IO = {"httpx", "requests", "socket", "sqlite3", "subprocess", "telegram", "starlette"}
"""What the engine never imports: everything outside the process is an argument there."""

NOT_BELOW_BOT = {"datetime.now", "datetime.utcnow", "date.today", "time.time", "time.monotonic"}
CLOCK_FILE = "market/clock.py"
LIMIT = 300


def modules() -> list[Path]:
    return sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """Return every imported module, also of imports inside functions and under TYPE_CHECKING."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative imports hide the floor"
            found.add(node.module or "")
    return found


def test_every_floor_is_there() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in modules()} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_imports_its_own_and_lower_floors(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    allowed = set(MAY_IMPORT[package])
    if name_of(path).startswith(SANDBOX_GUESTS):
        allowed.add("sandbox")
    ours = {name.split(".")[0] for name in imports(path)} & set(MAY_IMPORT)
    assert ours <= allowed, f"{name_of(path)} may not import {sorted(ours - allowed)}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_vendor_library_stays_in_its_place(path: Path) -> None:
    for name in {name.split(".")[0] for name in imports(path)} & set(VENDORS):
        assert name_of(path).startswith(VENDORS[name]), f"{name_of(path)} may not import {name}"


def test_the_engine_does_no_input_or_output() -> None:
    for path in (ROOT / "engine").rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & NO_IO, name_of(path)


def below_the_bot() -> list[Path]:
    """Return the modules that take time as an argument: all but floor 5 and the clock itself."""
    names = {path: name_of(path) for path in modules()}
    return [path for path, name in names.items() if name[:4] != "bot/" and name != CLOCK_FILE]


@pytest.mark.parametrize("path", below_the_bot(), ids=name_of)
def test_nobody_below_the_bot_asks_the_machine_for_the_time(path: Path) -> None:
    name = name_of(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in NOT_BELOW_BOT, f"{name}:{node.lineno} calls {called}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_file_holds_one_idea(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LIMIT, f"{name_of(path)} has {lines} lines; split it"


def test_there_are_no_circles() -> None:
    graph = {module_name(path): imports(path) for path in modules()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, "circle: " + " -> ".join((*path[path.index(name) :], name))
        if name in done:
            return
        for target in graph[name]:
            if target in graph and not is_package(target):
                visit(target, (*path, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_package(name: str) -> bool:
    return (ROOT / Path(*name.split("."))).is_dir()


def test_a_circle_and_a_climb_would_be_seen(tmp_path: Path) -> None:
    climbing = tmp_path / "low.py"
    climbing.write_text("def late():\n    from bot.app import build\n    return build\n")
    assert imports(climbing) == {"bot.app"}
