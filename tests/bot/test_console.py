from __future__ import annotations

import pytest

from bot.console import counted, errors_for_people
from market.errors import ConfigError, Problem, StoreLocked


@pytest.mark.parametrize(("count", "said"), [(0, "0 tests"), (1, "1 test"), (2, "2 tests")])
def test_counted_knows_the_singular(count: int, said: str) -> None:
    assert counted(count, "test") == said


def test_problems_are_shown_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, errors_for_people():
        raise ConfigError((Problem("x.yaml", 1, 2, "odd"),))
    assert caught.value.code == 2
    assert capsys.readouterr().err == "x.yaml:1:2: odd\n1 problem found\n"


def test_our_own_errors_are_shown_without_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, errors_for_people():
        raise StoreLocked("in use")
    assert caught.value.code == 2
    assert capsys.readouterr().err == "ticktalk: in use\n"


def test_faults_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError), errors_for_people():
        raise ZeroDivisionError
