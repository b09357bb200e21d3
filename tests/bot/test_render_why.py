"""The words of a why: every kind of node and of waiting, in both languages, fit for a phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from math import nan

import pytest

from bot.html_text import TEXT_LIMIT, length, to_plain
from bot.render_near import distance_text
from bot.render_why import why_text
from bot.texts import LANGUAGES, Texts
from conditions.tree import Branch, Operand
from conditions.waits import Wait, WaitFor
from conditions.why import Why
from market.signals import LifecycleState, Phase
from market.types import Instrument, Timeframe, Venue, Verdict, to_ms

TEXTS = Texts.load()
SAMSUNG = Instrument(Venue.KRX, "005930", "A&B <c>")
AT = datetime(2026, 11, 24, 1, 5, tzinfo=UTC)
TRUE, FALSE, UNKNOWN = Verdict.TRUE, Verdict.FALSE, Verdict.UNKNOWN
CLOSE = Operand("close", 71_500.0, "price")
MEAN = Operand("sma(close, 60)", 70_000.0, "price", 60, parts=(CLOSE,))
RATIO = Operand("close / sma(close, 60)", 71.5 / 70, "ratio", 60, parts=(CLOSE, MEAN))
WRITTEN = Operand("2%", 0.02, "ratio", is_written=True)
LEFT = Operand(
    "close / sma(close, 60) - 1",
    1.5 / 70,
    "ratio",
    60,
    parts=(RATIO, Operand("1", 1.0, "", is_written=True)),
)
LEAF = Branch(
    "compare",
    "close / sma(close, 60) - 1 > 2%",
    TRUE,
    operands=(LEFT, WRITTEN),
    operator=">",
    unit="ratio",
    gap=0.02 - 1.5 / 70,
)


def leaf(
    verdict: Verdict, left: float, right: float, unit: str = "volume", **changes: object
) -> Branch:
    """Return a comparison `volume > x`."""
    operands = (Operand("volume", left, unit), Operand("x", right, unit, 9))
    made = Branch("compare", "volume > x", verdict, (), operands, ">", unit, right - left)
    return replace(made, **changes)  # type: ignore[arg-type]  # named values of a test


def make(when: Branch = LEAF, **changes: object) -> Why:
    """Return a why."""
    made = Why(
        condition="breakout",
        instrument="KRX:005930",
        timeframe=Timeframe.M5,
        bar_start=AT,
        close=71_500.0,
        verdict=when.verdict,
        when=when,
        clear=None,
        held=2,
        state=LifecycleState(),
        fires=False,
        waits=(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # named values of a test


def lines(why: Why, language: str = "en") -> list[str]:
    """Return what a person reads."""
    return to_plain(why_text(TEXTS, language, why, SAMSUNG)).splitlines()


def test_a_comparison_shows_both_sides_the_margin_and_what_they_are_made_of() -> None:
    assert lines(make()) == [
        "❓ breakout · A&B <c> (005930)",
        "5m bar of 11-24 10:05 · close 71,500 KRW",
        "✅ True for 2 bars.",
        "",
        "✅ close / sma(close, 60) - 1 > 2%",
        "    2.14% > 2.00% · 0.14%p to spare",
        "    close 71,500 KRW, sma(close, 60) 70,000 KRW, close / sma(close, 60) 102.14%",
    ]


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        (leaf(FALSE, 900, 1200), "900 > 1,200 · 300 (25.00%) short"),
        (leaf(TRUE, 1500, 1200), "1,500 > 1,200 · 300 (25.00%) to spare"),
        (leaf(FALSE, 5, 0, "points", gap=5.0), "5.00 > 0.00 · 5.00 short"),
        (leaf(TRUE, 1300, 100), "1,300 > 100 · 1,200 (12.0x) to spare"),
        (leaf(FALSE, 2, 987_654_321), "2 > 987.7M · 987.7M (100.00%) short"),
        (leaf(TRUE, 987_654_321, 2), "987.7M > 2 · 987.7M (>99,999x) to spare"),
        (leaf(TRUE, 25.5, 0.02, "ratio"), "25.5x > 2.00% · 25.5x to spare"),
        (leaf(FALSE, 1200, 1200), "1,200 > 1,200 · just level"),
        (leaf(UNKNOWN, 900, nan), "900 > – · needs 9 bars"),
        (leaf(UNKNOWN, 900, 900), "900 > 900"),
        (leaf(FALSE, 1, 2, gap=nan), "1 > 2"),
        (leaf(FALSE, 3, 2, word="event", before=(4.0, 2.0)), "3 > 2 · was there already"),
    ],
)
def test_a_leaf_tells_by_how_much(branch: Branch, expected: str) -> None:
    assert lines(make(branch))[5].strip() == expected


def test_a_crossing_shows_the_bar_before() -> None:
    assert lines(make(leaf(TRUE, 3, 2, before=(1.0, 2.0))))[6] == "    one bar before: 1, 2"


def test_nodes_are_indented_below_each_other() -> None:
    inner = leaf(FALSE, 900, 1200)
    lasting = Branch("for", "x", FALSE, (inner,), held=1, needs=3)
    within = Branch("within", "x", TRUE, (leaf(TRUE, 2, 1),), held=2, needs=5)
    tree = Branch(
        "all", "", FALSE, (lasting, Branch("any", "", TRUE, (Branch("not", "", TRUE, (within,)),)))
    )
    shown = [line for line in lines(make(tree))[4:] if ">" not in line or "volume" in line]
    assert shown == [
        "▫️ all of",
        "  ▫️ for 3 bars: 1 so far",
        "    ▫️ volume > x",
        "  ✅ any of",
        "    ✅ not",
        "      ✅ within 5 bars: true on 2 of them",
        "        ✅ volume > x",
    ]
    assert lines(make(tree))[2] == "▫️ Not true: 1 of 2 comparisons hold."


def test_what_held_on_an_earlier_bar_is_dated() -> None:
    within = Branch("within", "x", TRUE, (leaf(TRUE, 2, 1),), held=2, needs=5, held_at=AT)
    assert lines(make(within))[4:7] == [
        "✅ within 5 bars: true on 2 of them",
        "    as of the last bar on which it held, 11-24 10:05:",
        "  ✅ volume > x",
    ]


def test_a_score_shows_its_sum_and_what_each_part_adds() -> None:
    parts = (leaf(TRUE, 2, 1, adds=0.4), Branch("not", "", FALSE, (leaf(TRUE, 3, 1),), adds=-0.1))
    sides = (Operand("score", 0.3, ""), Operand("0.5", 0.5, "", is_written=True))
    score = Branch("score", "score > 0.5", FALSE, parts, sides, ">", gap=0.2)
    shown = lines(make(score))[4:]
    assert shown[:3] == [
        "▫️ score > 0.5",
        "    0.30 > 0.50 · 0.20 (40.00%) short",
        "  ✅ volume > x (adds 0.4)",
    ]
    assert "  ▫️ not (adds -0.1)" in shown


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"fires": True}, "🔔 Fired on this bar."),
        ({"verdict": UNKNOWN}, "❔ Unknown: nothing is concluded."),
        (
            {"state": LifecycleState(Phase.FIRING, 3)},
            "✅ True for 2 bars; it has fired and does so once.",
        ),
    ],
)
def test_the_head_says_what_it_comes_to(changes: dict[str, object], expected: str) -> None:
    assert lines(replace(make(), **changes))[2] == expected  # type: ignore[arg-type]  # named values of a test


def test_a_past_firing_is_told_with_its_time() -> None:
    state = LifecycleState(Phase.COOLING, 0, to_ms(AT))
    assert lines(make(state=state))[3] == "Fired last on the bar that ended 11-24 10:05."


def test_a_firing_condition_shows_what_arms_it_again() -> None:
    state = LifecycleState(Phase.FIRING, 3)
    shown = lines(make(state=state, clear=leaf(FALSE, 900, 1200)))
    assert shown[7:10] == ["", "Armed again only after:", "▫️ volume > x"]
    assert "Armed again only after:" not in lines(make(clear=leaf(FALSE, 900, 1200)))


def test_an_instrument_without_bars_has_no_line_for_one() -> None:
    assert lines(make(leaf(UNKNOWN, nan, nan), bar_start=None))[1].startswith("❔ Unknown")


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        (Wait(WaitFor.WARM_UP, 4, 60), "Warming up: 4 of 60 bars"),
        (Wait(WaitFor.LONGER_WARM_UP, 4, 20, name="1d"), "Warming up: 4 of 20 bars of 1d"),
        (Wait(WaitFor.LONGER_CHART, name="1d"), "not told all bars of 1d"),
        (Wait(WaitFor.FACTS, name="facts.per"), "No source has told facts.per of late"),
        (Wait(WaitFor.HOLD, 1, 2), "Held for 1 of 2 bars"),
        (Wait(WaitFor.COOLDOWN, at=AT), "Cooldown until 11-24 10:05"),
        (
            Wait(WaitFor.HOURS, at=AT, hours=(time(9, 10), time(15))),
            "ended 11-24 10:05, outside 09:10-15:00",
        ),
        (Wait(WaitFor.LIMIT, 20, 20), "limit reached: 20 of 20"),
        (Wait(WaitFor.KEEP, at=AT), "armed again 11-24 10:05"),
        (Wait(WaitFor.EXPIRES, at=AT), "11-24 10:05 at the latest"),
        (Wait(WaitFor.MUTED, name="a <crash>"), "Silenced while a <crash> fires"),
        (Wait(WaitFor.NO_TRADE, 3, at=AT), "No trade in the 3 slots since"),
        (Wait(WaitFor.BEHIND, 1, at=AT), "slots that are not judged yet: 1"),
        (Wait(WaitFor.SESSION, at=AT), "opens 11-24 10:05"),
    ],
)
def test_what_is_waited_for_is_told_with_its_numbers(wait: Wait, expected: str) -> None:
    assert expected in lines(make(waits=(wait,)))[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_wait_has_words_but_being_false(language: str) -> None:
    waits = tuple(Wait(reason, 1, 2, AT, (time(9), time(15))) for reason in WaitFor)
    shown = lines(make(waits=waits), language)
    assert len(shown) == len(lines(make(), language)) + len(WaitFor)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_large_condition_fits_into_one_message(language: str) -> None:
    tree = Branch("all", "", TRUE, (LEAF,) * 38)
    text = why_text(TEXTS, language, make(tree), SAMSUNG)
    assert length(text) <= TEXT_LIMIT
    assert to_plain(text).count("> 2%") == 38
    assert "70,000" not in text


@pytest.mark.parametrize(
    ("distance", "expected"),
    [(0.424, "0.42σ"), (-1.0, "-1.00σ"), (float("-inf"), "–"), (314.159, "314σ"), (1e6, ">9,999σ")],
)
def test_a_distance_is_told_in_spreads(distance: float, expected: str) -> None:
    assert distance_text(distance) == expected
