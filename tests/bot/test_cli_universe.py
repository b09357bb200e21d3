"""`ticktalk universe`: members with their facts, from the store or from the files."""

from __future__ import annotations

import asyncio
import csv
import io
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest
import respx
from click.testing import CliRunner
from starlette.applications import Starlette

from bot.cli import main
from config.load import PACKAGED, write_folder
from config.strict_yaml import load_yaml
from config.universe_file import read_universe
from market.clock import SystemClock
from market.fact_groups import FactGroup
from market.facts import FACT_NAMES, DailyFacts, Listing
from market.sessions import KrxCalendar
from market.store import Store
from market.types import Instrument, Venue
from market.universe import Member, UniverseOfDay, Why
from sandbox.market import Simulator
from sandbox.naver import Faults, naver_routes
from tests.engine.told_market import share

DAY = date(2025, 11, 20)
NEW = Instrument(Venue.KRX, "000100", "유한양행", "KOSPI")
SAMSUNG = "KRX:005930"
UNIVERSES = {path.stem for path in (PACKAGED / "universes").glob("*.yaml")}


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of our own."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TICKTALK_")]:
        monkeypatch.delenv(name)
    write_folder(Path("config"))


def said(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["universe", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["universe", *arguments])
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.stderr


def compute(*members: Member, spec: str = "") -> None:
    """Store a universe as the bot does."""
    path = Path("config/universes/smart-money.yaml")
    version = spec or read_universe(load_yaml(path), None).version
    made = UniverseOfDay("smart-money", DAY, version, 900, members)
    facts = DailyFacts(SAMSUNG, DAY, per=12.345, institutions_5=-1_500.0, foreigners_5=2_500.0)
    store = Store.open("ticktalk.sqlite")
    asyncio.run(store.write(lambda tx: tx.universes.put(made)))
    line = Listing(NEW, 100.0, 5e12, 1e7)
    asyncio.run(store.write(lambda tx: tx.facts.put_listing([line], DAY)))
    everything = FactGroup.FLOWS | FactGroup.FIGURES
    asyncio.run(store.write(lambda tx: tx.facts.put([facts], everything)))
    store.close()


RANKED = (
    Member(SAMSUNG, Why.RANKED, 1, 0.001234),
    Member(NEW.id, Why.RANKED, 2, 0.0005),
    Member("KRX:000660", Why.HELD),
)


def test_members_are_shown_with_facts_and_why() -> None:
    compute(*RANKED)
    text = said("smart-money")
    lines = text.splitlines()
    assert lines[0].startswith("smart-money: most bought by institutions and foreigners")
    assert "3 instruments out of 900 that are listed, as of 2025-11-20" in lines
    assert "facts of 2025-11-20; empty where nobody told" in lines
    [samsung] = [line for line in lines if SAMSUNG in line]
    for part in ("삼성전자", "ranked", "0.1234%", "12.35", "-1,500", "2,500"):
        assert part in samsung
    [new] = [line for line in lines if NEW.id in line]
    assert "유한양행" in new  # known from the list of the market
    assert "5,000,000,000,000" in new
    [held] = [line for line in lines if "KRX:000660" in line]
    assert "held" in held
    assert "PBR" not in text  # nobody told any


def test_every_fact_goes_into_a_spreadsheet() -> None:
    compute(*RANKED)
    rows = list(csv.DictReader(io.StringIO(said("smart-money", "--csv"))))
    assert [row["instrument"] for row in rows] == [SAMSUNG, NEW.id, "KRX:000660"]
    assert list(rows[0])[9:] == list(FACT_NAMES)
    first = rows[0]
    assert (first["day"], first["rank"], first["value"]) == ("2025-11-20", "1", "0.001234")
    assert (first["per"], first["institutions_5"], first["pbr"]) == ("12.345", "-1500", "")
    assert (rows[1]["name"], rows[1]["market"], rows[1]["kind"]) == ("유한양행", "KOSPI", "stock")
    assert (rows[2]["why"], rows[2]["rank"]) == ("held", "")


def test_an_edited_file_is_told_and_its_exceptions_count() -> None:
    compute(*RANKED, spec="other")
    path = Path("config/universes/smart-money.yaml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "always: [000270]\nnever: [000100]\n", encoding="utf-8")
    shown = said("smart-money")
    assert "the file was edited since" in shown
    assert "KRX:000270" in shown
    assert NEW.id not in shown


def test_what_the_files_say_needs_no_store() -> None:
    shown = said("korea-leaders")
    assert "30 instruments, as the files say" in shown
    assert "삼성전자" in shown
    assert not Path("ticktalk.sqlite").exists()


def test_a_market_without_its_list_is_what_the_files_know() -> None:
    assert "6 instruments, as the files say" in said("kosdaq")


def test_a_ranking_that_was_never_computed_says_how_to() -> None:
    assert "universe 'smart-money' was never computed" in refused("smart-money")
    compute(replace(RANKED[0]))
    assert said("smart-money")


def test_other_commands_know_the_members_and_names_too() -> None:
    compute(*RANKED)
    text = "name: a\nuniverse: smart-money\ntimeframe: 5m\nwhen: close > of('KRX:000100').close\n"
    Path("config/conditions/a.yaml").write_text(text, encoding="utf-8")
    asked = CliRunner().invoke(main, ["why", "a", "유한양행"])
    assert "no 5m bars of 유한양행 are stored" in asked.stderr
    assert CliRunner().invoke(main, ["check"]).exit_code == 0
    Path("ticktalk.sqlite").unlink()
    Path("config/conditions/a.yaml").write_text(text.partition("when")[0] + "when: close > 3\n")
    assert (
        "unknown instrument '유한양행'" in CliRunner().invoke(main, ["why", "a", "유한양행"]).stderr
    )


def test_mistakes_are_told_for_people() -> None:
    assert "unknown universe 'smart-mony'; did you mean 'smart-money'?" in refused("smart-mony")
    assert "nothing to compute" in refused("all", "--refresh")
    path = Path("config/universes/most-traded.yaml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("by: value", "by: valeu"), encoding="utf-8")
    assert "most-traded.yaml:10:7: unknown name 'valeu'; did you mean 'value'?" in refused("all")


def test_a_refresh_beside_the_bot_is_refused() -> None:
    store = Store.open("ticktalk.sqlite")
    try:
        assert "another ticktalk is using" in refused("smart-money", "--refresh")
    finally:
        store.close()


@respx.mock
def test_a_refresh_computes_and_shows_how_far_it_is() -> None:
    clock, calendar = SystemClock(), KrxCalendar({})
    listed = [share(number) for number in range(1, 13)]
    simulator = Simulator(listed, calendar, seed=3, bursts=False, halted="", illiquid="")
    pretended = httpx.ASGITransport(Starlette(routes=naver_routes(simulator, clock, Faults())))

    async def answer(request: httpx.Request) -> httpx.Response:
        found = await pretended.handle_async_request(request)
        return httpx.Response(found.status_code, content=await found.aread())

    respx.route().mock(side_effect=answer)
    path = Path("config/universes/smart-money.yaml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("KOSPI+KOSDAQ", "KOSPI"), encoding="utf-8")
    result = CliRunner().invoke(
        main,
        ["universe", "smart-money", "--refresh", "--csv"],
        env={"TICKTALK_NAVER_REQUESTS_PER_SECOND": "1000"},
    )
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["foreigners_20"] and row["market_cap"] and row["name"] for row in rows)
    assert f"{len(rows)} members, {len(rows)} joined, 0 left" in result.stderr
    assert "smart-money: who bought on" in result.stderr
    assert rows


def test_without_a_name_all_are_listed() -> None:
    lines = said().splitlines()
    assert [line.split()[0] for line in lines] == sorted(UNIVERSES)
    (money,) = [line for line in lines if line.startswith("smart-money")]
    assert money.endswith("(ranking: the first 480 of KOSPI+KOSDAQ)")
    assert any(line.endswith("(market: KOSDAQ)") for line in lines)
    assert any(line.endswith("(a list)") for line in lines)
    assert "name one universe for --csv" in refused("--csv")
