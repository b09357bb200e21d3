"""Every file in bad/ says in its first lines what is wrong with it; exactly that is reported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.calendar_file import read_special_days
from config.condition_reader import Surroundings, read_conditions
from config.instruments import read_instruments
from config.settings_file import read_settings
from config.strict_yaml import load_yaml
from config.universe_file import read_universe
from market.errors import ConfigError
from market.types import Instrument, Venue

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.strict_yaml import Node

BAD = Path(__file__).parent / "bad"
SAMSUNG = Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")
KNOWN = {SAMSUNG.id: SAMSUNG}

READERS: dict[str, Callable[[Node], object]] = {
    "calendar": read_special_days,
    "condition": lambda node: read_conditions(
        node, Surroundings(universes=("all", "korea-leaders"), instruments=KNOWN)
    ),
    "instruments": read_instruments,
    "settings": lambda node: read_settings(node, {}),
    "universe": lambda node: read_universe(node, KNOWN),
    "yaml": lambda node: node,
}


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_bad_file_is_refused_with_the_expected_problems(path: Path) -> None:
    expected = [
        line.removeprefix("# expect ")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("# expect ")
    ]
    with pytest.raises(ConfigError) as caught:
        READERS[path.stem.partition("-")[0]](load_yaml(path))
    assert [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems] == expected
