"""Reads .env files: what belongs to one machine and into no repository."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.strict_yaml import read_text
from market.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LINE = re.compile(r"(?P<indent>\s*)(?:export\s+)?(?P<name>[^=]*?)\s*=\s*(?P<value>.*?)\s*")
_QUOTED = re.compile(r"(?P<quote>['\"])(?P<text>.*)(?P=quote)(\s+#.*)?")
_COMMENT = re.compile(r"(^|\s+)#.*$")


def environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of folder/.env, where there is one, below those of the process.

    Raises ConfigError where .env cannot be read.
    """
    path = folder / ".env"
    return {**(read_env_file(path) if path.is_file() else {}), **environ}


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file of NAME=VALUE lines; raises ConfigError with every problem.

    Values may be quoted; `#` begins a comment at the start of a line or after a space. No message
    repeats a value, because it may be a secret.
    """
    variables: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        message = _read_line(line, variables)
        if message:
            column = len(line) - len(line.lstrip()) + 1
            problems.append(Problem(str(path), number, column, message))
    if problems:
        raise ConfigError(tuple(problems))
    return variables


def _read_line(line: str, variables: dict[str, str]) -> str:
    """Add the variable of a line, or return what is wrong with it."""
    found = _LINE.fullmatch(line)
    if found is None:
        return "expected NAME=VALUE"
    name, value = found["name"], found["value"]
    if _NAME.fullmatch(name) is None:
        return "the name before '=' may only have letters, digits and '_'"
    if name in variables:
        return f"'{name}' is written twice"
    quoted = _QUOTED.fullmatch(value)
    if quoted is None and value[:1] in {"'", '"'}:
        return f"the quote after '{name}=' is not closed"
    variables[name] = quoted["text"] if quoted else _COMMENT.sub("", value)
    return ""
