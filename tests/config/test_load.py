"""Finding and loading a whole folder."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.load import (
    PACKAGED,
    Config,
    find_settings,
    load,
    members,
    reload,
    reloaded_files,
    with_members,
    write_folder,
)
from market.errors import ConfigError
from market.types import Instrument, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

CONDITION = "name: {name}\nuniverse: {universe}\ntimeframe: 5m\nwhen: close > 3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path / "mine")
    return tmp_path / "mine"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, environ: Mapping[str, str] | None = None) -> Config:
    return load(folder / "settings.yaml", environ or {})


def refusal(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_packaged_folder_loads() -> None:
    config = loaded(PACKAGED)
    assert [spec.name for spec in config.conditions] == ["rsi-rebound", "volume-breakout"]
    assert len(config.universes["all"]) == 48
    assert len(config.universes["korea-leaders"]) == 30
    assert config.directory.name("KRX:005930") == "삼성전자"
    assert config.folder == PACKAGED


def test_members_are_those_of_the_universe() -> None:
    config = loaded(PACKAGED)
    rebound, breakout = config.conditions
    assert members(config, rebound) == config.universes["korea-leaders"]
    assert members(config, breakout) == config.universes["all"]


def test_members_can_be_listed_in_the_condition(folder: Path) -> None:
    write(folder, "conditions/a.yaml", CONDITION.format(name="a", universe="[005930]"))
    config = loaded(folder)
    spec = next(spec for spec in config.conditions if spec.name == "a")
    assert members(config, spec) == ("KRX:005930",)


def test_what_is_not_enabled_is_read_and_kept_apart(folder: Path) -> None:
    text = CONDITION.format(name="a", universe="all")
    write(folder, "conditions/a.yaml", text + "enabled: false\n")
    write(folder, "conditions/b.yaml", text.replace("name: a", "name: b") + "muted_by: a\n")
    config = loaded(folder)
    assert "a" in [spec.name for spec in config.off]
    assert "a" not in [spec.name for spec in config.conditions]
    assert "b" in [spec.name for spec in config.conditions]
    write(folder, "conditions/a.yaml", text + "enabled: no\nfr: 2 bars\n")
    assert [one.partition(" ")[0] for one in refusal(folder)] == [
        "conditions/a.yaml:5:10:",
        "conditions/a.yaml:6:1:",
    ]


def test_calendar_knows_the_special_days() -> None:
    calendars = loaded(PACKAGED).calendars
    assert set(calendars) == set(Venue)
    assert calendars[Venue.KRX].window(date(2026, 7, 17)) is None


def test_environment_reaches_settings_and_conditions(folder: Path) -> None:
    text = CONDITION.format(name="a", universe="all") + "order: {side: buy, size: 10}\n"
    write(folder, "conditions/a.yaml", text)
    config = loaded(folder, {"TICKTALK_CONFIRM_WITHIN_SECONDS": "20"})
    order = next(spec for spec in config.conditions if spec.name == "a").order
    assert order is not None
    assert order.confirm.within.total_seconds() == 20


def test_settings_alone_use_the_packaged_instruments_and_universes(tmp_path: Path) -> None:
    write(tmp_path, "settings.yaml", "crawl: {every_seconds: 20}\n")
    config = loaded(tmp_path)
    assert config.settings.crawl.every_seconds == 20
    assert len(config.universes["all"]) == 48
    assert config.conditions == ()


def test_problems_of_all_files_come_together(folder: Path) -> None:
    write(folder, "settings.yaml", "crawl: {every_seconds: soon}\n")
    write(folder, "krx_calendar.yaml", "2026-13-01: closed\n")
    write(folder, "universes/mine.yaml", "name: mine\ninstruments: [005931]\n")
    write(folder, "conditions/a.yaml", CONDITION.format(name="a", universe="[1]") + "fr: 2 bars\n")
    write(folder, "conditions/b.yaml", "name: b\n\twhen: x")
    assert [problem.split(": ")[0] for problem in refusal(folder)] == [
        "settings.yaml:1:24",
        "krx_calendar.yaml:1:1",
        "universes/mine.yaml:2:15",
        "conditions/a.yaml:2:12",
        "conditions/a.yaml:5:1",
        "conditions/b.yaml:2:1",
    ]


def test_unknown_universe_is_refused_with_the_nearest_one(folder: Path) -> None:
    write(folder, "conditions/a.yaml", CONDITION.format(name="a", universe="korea-leader"))
    assert refusal(folder) == [
        "conditions/a.yaml:2:11: unknown universe 'korea-leader'; did you mean 'korea-leaders'?"
    ]


def test_broken_universe_is_not_blamed_on_its_conditions(folder: Path) -> None:
    write(folder, "universes/mine.yaml", "name: mine\nmarket: [\n")
    write(folder, "conditions/a.yaml", CONDITION.format(name="a", universe="mine"))
    assert [problem.partition(":")[0] for problem in refusal(folder)] == ["universes/mine.yaml"]


def test_two_conditions_of_one_name_are_refused_in_the_second(folder: Path) -> None:
    write(folder, "conditions/z.yaml", CONDITION.format(name="rsi-rebound", universe="all"))
    first = folder / "conditions" / "rsi_rebound.yaml"
    assert refusal(folder) == [
        f"conditions/z.yaml:1:7: a condition named 'rsi-rebound' is already in {first}"
    ]


def test_two_universes_of_one_name_are_refused_in_the_second(folder: Path) -> None:
    write(folder, "universes/z.yaml", "name: all\nmarket: KOSPI\n")
    first = folder / "universes" / "all.yaml"
    assert refusal(folder) == [
        f"universes/z.yaml:1:7: a universe named 'all' is already in {first}"
    ]


def test_option_goes_before_the_variable(folder: Path, tmp_path: Path) -> None:
    other = write(tmp_path, "other.yaml", "crawl:\n")
    found = find_settings(other, {"TICKTALK_CONFIG": str(folder / "settings.yaml")})
    assert found == other


def test_variable_goes_before_the_working_folder(folder: Path) -> None:
    assert find_settings(None, {"TICKTALK_CONFIG": str(folder)}) == folder / "settings.yaml"


def test_working_folder_goes_before_the_packaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_settings(None, {}) == PACKAGED / "settings.yaml"
    write(tmp_path, "config/settings.yaml", "crawl:\n")
    assert find_settings(None, {"TICKTALK_CONFIG": ""}) == Path("config/settings.yaml")


def test_dot_means_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert find_settings(Path(), {}) == Path("settings.yaml")


@pytest.mark.parametrize("origin", ["--config", "TICKTALK_CONFIG"])
def test_named_file_that_does_not_exist_is_refused(tmp_path: Path, origin: str) -> None:
    missing = tmp_path / "none.yaml"
    option = missing if origin == "--config" else None
    environ = {} if option else {"TICKTALK_CONFIG": str(missing)}
    with pytest.raises(ConfigError, match=rf"none.yaml: no such file \(named by {origin}\)"):
        find_settings(option, environ)


def test_reload_reads_universes_and_conditions_and_nothing_else(folder: Path) -> None:
    before = loaded(folder)
    write(folder, "universes/few.yaml", "name: few\ndescribe: few\ninstruments: [005930]\n")
    write(folder, "conditions/a.yaml", CONDITION.format(name="a", universe="few"))
    off = CONDITION.format(name="b", universe="few") + "enabled: false\n"
    write(folder, "conditions/b.yaml", off)
    write(folder, "settings.yaml", "nonsense")
    write(folder, "instruments.yaml", "nonsense")
    after = reload(before)
    assert after.universes["few"] == ("KRX:005930",)
    assert {spec.name for spec in after.conditions} - {one.name for one in before.conditions} == {
        "a"
    }
    assert {spec.name for spec in after.off} - {one.name for one in before.off} == {"b"}
    assert after.settings is before.settings
    assert after.directory is before.directory


def test_members_told_by_a_list_take_the_place_of_those_of_the_files(folder: Path) -> None:
    write(folder, "conditions/a.yaml", CONDITION.format(name="a", universe="smart-money"))
    config = loaded(folder)
    spec = next(spec for spec in config.conditions if spec.name == "a")
    assert members(config, spec) == ()
    assert len(config.universes["kospi"]) == 41  # what instruments.yaml has of it, ETFs left out
    told = {"smart-money": ("KRX:005930",), "all": ("KRX:000660",), "gone": ()}
    resolved = with_members(config, told)
    assert members(resolved, spec) == ("KRX:005930",)
    assert len(resolved.universes["all"]) == 48  # the files say it all
    assert "gone" not in resolved.universes
    assert reload(resolved).universes["smart-money"] == ()


def test_exceptions_of_the_file_count_before_a_universe_is_computed_again(folder: Path) -> None:
    path = folder / "universes/smart-money.yaml"
    exceptions = "always: [000002]\nnever: [000001]\n"
    path.write_text(path.read_text(encoding="utf-8") + exceptions, encoding="utf-8")
    resolved = with_members(loaded(folder), {"smart-money": ["KRX:000001", "KRX:000003"]})
    assert resolved.universes["smart-money"] == ("KRX:000003", "KRX:000002")


def test_what_a_directory_learns_later_is_not_of_the_files(folder: Path) -> None:
    config = loaded(folder)
    config.directory.add(Instrument(Venue.KRX, "000001", "새종목", "KOSPI"))
    write(folder, "universes/new.yaml", "name: new\ninstruments: [000001]\n")
    with pytest.raises(ConfigError, match="unknown instrument 'KRX:000001'"):
        reload(config)
    (folder / "universes/new.yaml").unlink()
    assert len(reload(config).universes["all"]) == 48


def test_whom_a_muting_condition_watches_is_not_known_of_a_ranking(folder: Path) -> None:
    write(folder, "conditions/a.yaml", CONDITION.format(name="a", universe="smart-money"))
    muted = CONDITION.format(name="b", universe="all")
    write(folder, "conditions/b.yaml", muted + "muted_by: {condition: a, on: KRX:069500}\n")
    assert loaded(folder)


def test_reload_tells_all_problems(folder: Path) -> None:
    before = loaded(folder)
    for name in ("a", "b"):
        write(folder, f"conditions/{name}.yaml", CONDITION.format(name=name, universe="nobody"))
    with pytest.raises(ConfigError) as caught:
        reload(before)
    assert len(caught.value.problems) == 2


def test_reloaded_files_are_those_that_are_there(folder: Path) -> None:
    added = write(folder, "conditions/_shared.yml", "let: {a: close}\n")
    assert added in reloaded_files(folder)
    assert all(path.parent.name in {"universes", "conditions"} for path in reloaded_files(folder))
    for path in (folder / "universes").iterdir():
        path.unlink()
    (folder / "universes").rmdir()
    assert PACKAGED / "universes" / "all.yaml" in reloaded_files(folder)
