"""From settings.yaml and the environment to settings, with every problem at once."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from config.fields import Fields, refuse
from config.registry import suggestion
from config.settings import Settings, environment_name, keys_of, secrets
from config.strict_yaml import Located

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from config.strict_yaml import Node
    from market.errors import Problem

SECTIONS = tuple(Settings.model_fields)
OTHER_VARIABLES = ("TICKTALK_CONFIG",)
"""Variables that are not a setting: TICKTALK_CONFIG names the settings file."""
SECRETS = secrets()
"""The settings that never stand in a file."""

_PREFIX = "TICKTALK_"
_MESSAGES = {
    "int_parsing": "'{input}' is not a whole number",
    "int_from_float": "'{input}' is not a whole number",
    "int_parsing_size": "'{input}' is far too large",
    "float_parsing": "'{input}' is not a number",
    "finite_number": "'{input}' is not a number",
    "greater_than_equal": "'{input}' is too small; at least {ge}",
    "greater_than": "'{input}' is too small; more than {gt}",
    "less_than_equal": "'{input}' is too large; at most {le}",
    "bool_parsing": "'{input}' must be true or false",
    "literal_error": "'{input}' is not known; expected {expected}",
}


def read_settings(node: Node | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a file (None: none is there) with the environment on top.

    Raises ConfigError with every problem found. What is left empty keeps its default.
    """
    problems: list[Problem] = []
    written = {} if node is None else _from_file(node, problems)
    written |= _from_environment(environ, problems)
    values: dict[str, dict[str, str]] = {}
    for (section, key), located in written.items():
        values.setdefault(section, {})[key] = located.text
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += [_problem(detail, written) for detail in error.errors()]
        settings = Settings()
    refuse(problems)
    return settings


def _from_file(node: Node, problems: list[Problem]) -> dict[tuple[str, str], Located]:
    sections = Fields(node, SECTIONS, problems)
    written: dict[tuple[str, str], Located] = {}
    for name in SECTIONS:
        section = sections.node(name)
        if section is None or _is_empty(section):
            continue
        fields = Fields(section, keys_of(name), problems)
        for key in keys_of(name):
            value = fields.node(key)
            if value is None or _is_empty(value):
                continue
            if (name, key) in SECRETS:
                problems.append(_refuse_secret(value, environment_name(name, key)))
            elif (text := fields.optional_text(key)) is not None:
                written[name, key] = text
    return written


def _refuse_secret(value: Node, variable: str) -> Problem:
    kind = "token" if variable.endswith("TOKEN") else "key"
    return value.problem(f"a {kind} does not belong here; write {variable}=... into .env")


def _from_environment(
    environ: Mapping[str, str], problems: list[Problem]
) -> dict[tuple[str, str], Located]:
    known = {
        environment_name(section, key): (section, key)
        for section in SECTIONS
        for key in keys_of(section)
    }
    written: dict[tuple[str, str], Located] = {}
    for name in sorted(environ):
        located = Located(environ[name].strip(), f"environment variable {name}", 0, 0)
        if name in known and located.text:
            written[known[name]] = located
        elif name not in known and _is_meant_for_us(name, known):
            hint = suggestion(name, (*known, *OTHER_VARIABLES))
            problems.append(located.problem(f"unknown setting '{name}'{hint}"))
    return written


def _is_meant_for_us(name: str, known: Mapping[str, object]) -> bool:
    """Tell a slip of the pen from a variable of some other program or of a test."""
    if not name.startswith(_PREFIX) or name in OTHER_VARIABLES:
        return False
    section = name.removeprefix(_PREFIX).partition("_")[0].lower()
    return section in SECTIONS or bool(get_close_matches(name, known, n=1, cutoff=0.85))


def _problem(detail: ErrorDetails, written: Mapping[tuple[str, str], Located]) -> Problem:
    section, key = (str(part) for part in detail["loc"][:2])
    located = written[section, key]
    if detail["type"] == "value_error":
        message = str(detail["ctx"]["error"])
    else:
        template = _MESSAGES.get(detail["type"], detail["msg"].replace("{", "{{"))
        message = template.format(input=located.text, **detail.get("ctx", {}))
    return located.problem(f"{section}.{key}: {message}")


def _is_empty(node: Node) -> bool:
    return isinstance(node, Located) and not node.text.strip()
