"""Plug-ins by name."""

from __future__ import annotations

import pytest

from config.registry import Registry, suggestion


def test_entry_is_found_by_its_name() -> None:
    brokers: Registry[str] = Registry("broker")
    assert brokers.register("paper")("the paper broker") == "the paper broker"
    assert brokers.get("paper") == "the paper broker"
    assert "paper" in brokers


def test_names_come_in_order() -> None:
    brokers: Registry[int] = Registry("broker")
    brokers.register("upbit")(1)
    brokers.register("kis")(2)
    assert list(brokers) == ["kis", "upbit"]


def test_name_twice_is_refused() -> None:
    brokers: Registry[int] = Registry("broker")
    brokers.register("paper")(1)
    with pytest.raises(ValueError, match="broker 'paper' is registered twice"):
        brokers.register("paper")(2)


def test_unknown_name_is_refused_with_the_nearest_one() -> None:
    indicators: Registry[int] = Registry("indicator")
    indicators.register("rsi")(1)
    with pytest.raises(KeyError, match=r"unknown indicator 'rsy'; did you mean 'rsi'\?"):
        indicators.get("rsy")


def test_suggestion_lists_a_short_list_when_nothing_is_near() -> None:
    assert suggestion("xyz", ["paper", "kis"]) == "; known: kis, paper"


def test_suggestion_is_silent_when_nothing_is_near_and_the_list_is_long() -> None:
    assert suggestion("xyz", [f"name{number}" for number in range(13)]) == ""


def test_suggestion_is_silent_when_nothing_is_known() -> None:
    assert suggestion("xyz", []) == ""
