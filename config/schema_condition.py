"""The JSON Schema of a condition file: the readers' own keys, with a shape and a word for each."""

from __future__ import annotations

from typing import get_args

from config.condition_extends import SIDES
from config.condition_file import Severity, Unknown
from config.condition_lifecycle import MUTING_KEYS
from config.condition_names import PARAM_KEYS
from config.condition_protect import PROTECT_KEYS, RUNG_KEYS
from config.condition_reader import ALERT_KEYS, CONFIRM_KEYS, KEYS, ORDER_KEYS
from config.condition_score import PART_KEYS, SCORE_KEYS
from config.condition_tests import EXPECT_KEYS, PHASES, TEST_KEYS
from config.schema_shapes import Shape, choice, either, listed, mapped, named, referred, text
from config.trial_bars import BARS_KEYS
from config.trial_others import OTHER_KEYS
from config.trial_position import POSITION_KEYS
from market.facts import FACT_NAMES
from market.orders import Action, Otherwise
from market.types import Timeframe

_DURATION = ("30 minutes", "90s", "2 hours", "1 day")
_EXPRESSION = text("An expression", examples=["close > sma(close, 20)"])
_SLOTS = either(listed(text()), text(), describe="Slots, counted from 0: [61, 70..75]")

_RULE: Shape = either(
    _EXPRESSION,
    {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            "all": listed(referred("rule"), "All of them must hold"),
            "any": listed(referred("rule"), "One of them must hold"),
            "not": referred("rule", "It must not hold"),
        },
        "additionalProperties": False,
    },
)

_CONFIRM = {
    "within": text("The card lapses after this much time", examples=["90s"]),
    "max_drift": text("Further away than this, a fresh price asks again", examples=["0.3%"]),
    "auto": text(
        "Smaller orders are confirmed without a tap",
        examples=["below 300_000 KRW", "below 300 USDT"],
    ),
    "otherwise": choice(Otherwise, "`limit`: unanswered it rests at the price of the card"),
}
_RUNG = {
    "at": text("The gain at which it is sold", examples=["3%"]),
    "sell": text("The share of all that was opened", examples=["50%"]),
}
_PROTECT = {
    "stop_loss": text("A fall below the average price (short: a rise)", examples=["3%"]),
    "take_profit": either(
        text("The gain at which all is sold", examples=["6%"]),
        listed(mapped(RUNG_KEYS, _RUNG, required=RUNG_KEYS)),
    ),
    "trailing_stop": text("A fall below the highest price since it was opened", examples=["2%"]),
    "time_stop": text("How long it is held at most", examples=["5 days"]),
    "at_venue": choice(("true", "false"), "Let the stop loss rest at the venue, too"),
}
_ORDER = {
    "side": choice(Action),
    "size": text(
        "Money, or shares; of an exit `all` that is there",
        examples=["min(5% * equity, 500_000 KRW)", "risk(1% * equity, stop=3%)", "all"],
    ),
    "price": text("Without it a market order", examples=["close + 1 tick", "market"]),
    "unfilled": text(
        "What becomes of what is left some time after it was sent; without it, it rests",
        examples=["cancel after 300s", "reprice after 60s up to 3 times", "market after 60s"],
    ),
    "protect": mapped(PROTECT_KEYS, _PROTECT, "What ends the position that it opens"),
    "confirm": mapped(CONFIRM_KEYS, _CONFIRM, "How a card is confirmed"),
}
_ALERT = {
    "severity": choice(get_args(Severity), "low is silent"),
    "chart": choice(("true", "false"), "With or without its chart"),
}
_SCORE = {
    "parts": listed(
        mapped(
            PART_KEYS,
            {
                "when": referred("rule", "What is weighed"),
                "weight": text("What it adds where it is true", examples=["0.4"]),
                "otherwise": text("What it adds where it is false", examples=["-0.2"]),
                "unknown": text("What it adds where it is unknown", examples=["0"]),
            },
            required=("when", "weight"),
        )
    ),
    "above": text("True where the sum lies above it", examples=["0.2"]),
    "below": text("True where the sum lies below it", examples=["-0.2"]),
}
_PARAM = {
    "default": text("The number in force"),
    "range": listed(text(), "The least and the greatest"),
}
_MUTING = {
    "condition": text("The condition that silences this one"),
    "on": text("Only where it fires on this instrument", examples=["KRX:069500"]),
}
_SERIES = ("100_000x60 106_000 _ 107_000",)
_BARS = {
    "close": text("Last prices, slot by slot; _ no trade, ? missing", examples=_SERIES),
    "open": text("First prices; the close where they are left out", examples=_SERIES),
    "high": text("Highest prices", examples=_SERIES),
    "low": text("Lowest prices", examples=_SERIES),
    "volume": text("Shares traded; 1 where it is left out", examples=("10x60 2_000",)),
    "value": text("Money traded; close x volume where it is left out", examples=_SERIES),
}
_EXPECT = {
    "fires_at": _SLOTS,
    "never": choice(("true",), "It never fires"),
    "states": named(choice(PHASES), "Where it stands after a slot: {61: firing}"),
    "unknown_at": _SLOTS,
}
_DAYS = mapped(BARS_KEYS, _BARS, "One number a session, up to the one before", ("close",))
_FACTS = mapped(
    FACT_NAMES,
    dict.fromkeys(FACT_NAMES, text(examples=("8", "1_000 _ -500 ?"))),
    "What each session knows when it begins: a number for all, or one a session",
)
_POSITION = {
    "price": text("What was paid a share", examples=["70_000"]),
    "quantity": text("How much is held; 1 where it is left out", examples=["10"]),
    "opened": text("It is bought as this slot begins; the first where it is left out"),
    "closed": text("It is sold as this slot begins"),
}
_OTHER = mapped(OTHER_KEYS, {**_BARS, "d1": _DAYS, "facts": _FACTS}, required=("close",))
_TEST = {
    "name": text("What the test shows"),
    "d1": _DAYS,
    "facts": _FACTS,
    "position": mapped(POSITION_KEYS, _POSITION, "What is held of it", ("price",)),
    "bars": mapped(BARS_KEYS, _BARS, "One number a slot, from 09:00 on", ("close",)),
    "others": named(_OTHER, "The bars of other instruments: {KRX:069500: {close: 100x60}}"),
    "restart_at": text("Before this slot the program is stopped and started"),
    "expect": mapped(EXPECT_KEYS, _EXPECT, "What must come of the bars"),
}

SHAPES = {
    "name": text("Shown in every alert; letters, digits and `-`", examples=["volume-breakout"]),
    "describe": text("One line for people"),
    "enabled": choice(("true", "false"), "`false`: checked and tested, but not watched"),
    "template": choice(("true", "false"), "`true`: only there to be extended"),
    "extends": text("The condition or template from which it takes what is not written here"),
    "universe": either(
        text("A universe of universes/", examples=["all"]),
        listed(text(examples=["KRX:005930"])),
        describe="What is watched: the name of a universe, or a list of instruments",
    ),
    "timeframe": choice(
        Timeframe, f"The length of a bar: {', '.join(f'`{one}`' for one in Timeframe)}"
    ),
    "params": named(
        mapped(PARAM_KEYS, _PARAM, required=PARAM_KEYS),
        "Numbers with a name, which a backtest can vary",
    ),
    "let": named(_EXPRESSION, "Expressions with a name"),
    "when": referred(
        "rule", "An expression, or `all:`, `any:`, `not:` of them, nested as you like"
    ),
    "score": mapped(SCORE_KEYS, _SCORE, "What weighted parts must add up to", ("parts",)),
    "for": text("How many of the instrument's own bars in a row it must hold", examples=["2 bars"]),
    "clear": referred("rule", "It may fire again on an instrument only after this was true"),
    "keep_for": text(
        "And only after that was so for this much time, over all bars until then",
        examples=_DURATION,
    ),
    "expires": text(
        "It stops firing after this much time, though it may still be true", examples=_DURATION
    ),
    "on_unknown": either(
        choice(Unknown),
        text(pattern=r"^alert\s+after\s+\d+\s*bars?$", examples=["alert after 5 bars"]),
        describe="What an unknown verdict does to a firing condition: `hold`, `resolve` (counts as"
        " cleared) or `alert` (holds, and the owner is told after 3 own bars;"
        " `alert after 5 bars`)",
    ),
    "fire": choice(
        ("once", "every bar"), "`once`, or `every bar` on which it is true and has held"
    ),
    "intrabar": choice(
        ("true", "false"), "`true`: judged at every sweep on bars that still form; may repaint"
    ),
    "cooldown": text(
        "It may not fire again on an instrument for this much time, from the end of the bar",
        examples=_DURATION,
    ),
    "limit": text(
        "Signals a day over all instruments; the owner hears when it is reached",
        examples=["20 per day"],
    ),
    "between": text(
        "Fires only on bars that end within these hours, Korean time", examples=["09:10-15:15"]
    ),
    "muted_by": either(
        text("The condition that silences this one"),
        mapped(MUTING_KEYS, _MUTING, required=("condition",)),
        describe="Another condition that silences this one while it fires",
    ),
    "alert": mapped(
        ALERT_KEYS,
        _ALERT,
        "How a signal is told: `severity` `low` (silent), `normal` or `high`, and its `chart`",
    ),
    "order": mapped(
        ORDER_KEYS,
        _ORDER,
        "The order that a signal proposes; without it the condition only alerts",
        ("size",),
    ),
    "sides": mapped(
        SIDES, dict.fromkeys(SIDES, referred("condition")), "A `buy` and a `sell` condition"
    ),
    "tests": listed(
        mapped(TEST_KEYS, _TEST, required=("name", "bars", "expect")),
        "Bars, and what must come of them; run by `ticktalk check`",
    ),
}
"""What may be written for each key of a condition file."""

DEFAULTS = {
    **dict.fromkeys(KEYS, "none"),
    **dict.fromkeys(("name", "describe", "universe", "timeframe"), "required"),
    "when": "required, or `score`",
    "enabled": "`true`",
    "template": "`false`",
    "for": "`1 bars`",
    "clear": "`when` is false",
    "expires": "never",
    "on_unknown": "`hold`",
    "fire": "`once`",
    "intrabar": "`false`",
    "cooldown": "`30 minutes`; none with `every bar`",
    "between": "the session",
    "alert": "`normal`, with chart",
}
"""What holds where a key is not written."""


def condition_schema() -> Shape:
    """Return the schema of a condition file, without its head."""
    whole = {"extends", "template"}
    return {
        **referred("condition"),
        "required": ["name"],
        "if": {"not": {"anyOf": [{"required": [key]} for key in sorted(whole)]}},
        "then": {"required": ["universe", "timeframe"]},
        "$defs": {"rule": _RULE, "condition": mapped(KEYS, SHAPES)},
    }


def shared_schema() -> Shape:
    """Return the schema of _shared.yaml, without its head."""
    return mapped(("let",), SHAPES)
