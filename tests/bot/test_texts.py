"""The catalogues: same keys, same placeholders, and every key the source uses is there."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from bot.command import COMMANDS, load_commands
from bot.texts import LANGUAGES, Texts, language_of, read_catalogue
from brokers import binance_refusals, kis_codes, upbit_http
from conditions.waits import WaitFor
from engine.desk_adjust import Change
from engine.desk_send import REASONS
from engine.health import TROUBLES, SourceState
from engine.protect import Reason
from market.messages import Role
from market.orders import Action, OrderState, Side
from market.unfilled import Then

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "bot" / "texts"
CATALOGUES = {name: read_catalogue(FOLDER / f"{name}.yaml") for name in LANGUAGES}
TEXTS = Texts.load()

PREFIXES = sorted({key.split(".")[0] for key in CATALOGUES["en"]})
KEY = re.compile(rf'"((?:{"|".join(PREFIXES)})(?:\.[a-z_]+)+)"')
NOT_KEYS = {"order.contradiction"}
"""Names of events that look like keys."""


def placeholders(text: str) -> set[str]:
    """Return the names of the placeholders of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def used_keys() -> set[str]:
    """Return what looks like a text key in the source of engine, brokers and bot."""
    found: set[str] = set()
    for folder in ("engine", "brokers", "bot"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(KEY.findall(path.read_text(encoding="utf-8")))
    return found - NOT_KEYS


def built_keys() -> set[str]:
    """Return the keys that the source puts together from a name."""
    load_commands()
    keys = {f"card.title.{state}" for state in OrderState}
    keys |= {f"card.state.{state}" for state in OrderState}
    keys |= {f"state.{state}" for state in OrderState}
    keys |= {f"{key}.{action}" for action in Action for key in ("side", "card.cost")}
    keys |= {f"order.how_many.{side}" for side in Side}
    keys |= {f"order.how_many.coin.{action}" for action in Action} | {"side.both"}
    keys |= {f"role.{role}" for role in Role}
    keys |= {
        f"{key}.{state}"
        for state in ("active", "paused", "halted")
        for key in ("status.trading", "resume")
    }
    keys |= {f"status.source.{state}" for state in SourceState}
    keys |= {f"trouble.{code}" for code in TROUBLES}
    keys |= {f"source.{code}{end}" for code in TROUBLES for end in ("", ".over")}
    keys |= {f"status.market.{word}" for word in ("open", "closed", "always")}
    keys |= {f"{key}.{name}" for name in COMMANDS for key in ("menu", "usage")}
    keys |= {f"button.{name}" for name in ("status", "conditions", "help")}
    keys |= {f"button.{name}" for name in ("why", "positions", "buy", "pause", "resume")}
    keys |= {f"button.{name}" for name in ("confirm", "decline")}
    keys |= {f"button.{change}" for change in Change}
    keys |= {f"notice.protect_{reason}" for reason in Reason}
    keys |= {f"card.unfilled.{then}" for then in Then}
    keys |= {f"why.wait.{reason}" for reason in WaitFor if reason is not WaitFor.FALSE}
    keys |= {f"why.{word}" for word in ("all", "any", "not", "for", "within", "score", "other")}
    return keys | {"alert.price.day", "alert.price.bars"}


def test_catalogues_have_the_same_keys() -> None:
    assert set(CATALOGUES["ko"]) == set(CATALOGUES["en"])


@pytest.mark.parametrize("key", sorted(CATALOGUES["en"]))
def test_catalogues_have_the_same_placeholders(key: str) -> None:
    assert placeholders(CATALOGUES["ko"][key]) == placeholders(CATALOGUES["en"][key])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_written_twice(language: str) -> None:
    lines = (FOLDER / f"{language}.yaml").read_text(encoding="utf-8").splitlines()
    keys = [line.split(":")[0] for line in lines if re.match(r"[a-z]", line)]
    assert len(keys) == len(set(keys)) == len(CATALOGUES[language])


def test_every_key_in_the_source_is_in_the_catalogues() -> None:
    assert used_keys() | built_keys() <= set(CATALOGUES["en"])


def test_every_text_is_used() -> None:
    optional = {key for key in CATALOGUES["en"] if key.startswith("detail.")}
    known = used_keys() | built_keys() | optional | {f"rejected.{word}" for word in REJECTIONS}
    assert set(CATALOGUES["en"]) - known == set()


def refusals() -> set[str]:
    """Return every code with which a broker may refuse: those it names, and those in its tables."""
    found = {*kis_codes._REASONS.values(), *(word for _, word in kis_codes._WORDS)}
    found |= {*binance_refusals._CODES.values(), *binance_refusals._TEXTS.values()}
    found |= set(upbit_http._CODES.values())
    for path in (ROOT / "brokers").glob("*.py"):
        found |= set(REFUSAL.findall(path.read_text(encoding="utf-8")))
    return found


REFUSAL = re.compile(r'(?:OrderRejected|Refused)\(\s*"([a-z_]+)"')
REJECTIONS = refusals()


def numbered_denials() -> set[str]:
    """Return the codes of all denials that say a limit."""
    found = set()
    for path in (ROOT / "engine").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) > 1 and _is_denial(node):
                found |= {word for word in map(_constant, node.args) if word.startswith("risk.")}
    return found


def _is_denial(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in {"Denial", "_over"}


def _constant(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_denial_that_has_a_limit_tells_it(language: str) -> None:
    catalogue = CATALOGUES[language]
    found = numbered_denials()
    assert "risk.notional" in found
    silent = {
        code
        for code in found
        if "limit" not in placeholders(catalogue.get(f"detail.{code}", "") + catalogue[code])
    }
    assert silent == set()


def test_every_refusal_of_a_broker_has_a_text() -> None:
    assert "unavailable" in REJECTIONS
    assert REJECTIONS - {"other"} == set(REASONS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", [key for key in CATALOGUES["en"] if key.startswith("detail.")])
def test_detail_belongs_to_a_denial(key: str, language: str) -> None:
    assert key.removeprefix("detail.") in CATALOGUES[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_notices_of_taps_fit(language: str) -> None:
    for key, text in CATALOGUES[language].items():
        if key.startswith(("order.", "risk.", "tap.", "again.gone", "deny.")):
            assert len(text) <= 200 or key.startswith("order.how_many"), key


def test_facts_are_escaped() -> None:
    text = TEXTS.get("instrument.unknown", "en", name="<b>&")
    assert "&lt;b&gt;&amp;" in text


def test_facts_may_hold_braces() -> None:
    assert "{0}" in TEXTS.get("error.refused", "ko", error="{0} {x}")


def test_plain_has_neither_markup_nor_entities() -> None:
    assert TEXTS.plain("again.done", "en", line="/buy <x>") == "Done: /buy <x>"


def test_missing_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        TEXTS.get("no.such.key", "ko")


def test_missing_fact_is_an_error() -> None:
    with pytest.raises(KeyError):
        TEXTS.get("error.refused", "ko")


def test_unknown_language_reads_english() -> None:
    assert TEXTS.get("cancel.none", "fr") == CATALOGUES["en"]["cancel.none"]


@pytest.mark.parametrize(
    ("code", "language"), [("ko", "ko"), ("ko-KR", "ko"), ("KO", "ko"), ("en", "en"), ("", "en")]
)
def test_language_of(code: str, language: str) -> None:
    assert language_of(code) == language


def test_value_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "xx.yaml"
    path.write_text("a.b: 12\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.b"):
        read_catalogue(path)
