"""Reading Naver's older HTML pages strictly: tables, rows of cells, unsigned changes, page numbers.

The pages are EUC-KR. What is not as we know it raises SourceChanged with what was there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from bs4 import BeautifulSoup
from bs4.exceptions import ParserRejectedMarkup

from market.errors import SourceChanged
from venues.polite_http import fragment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bs4 import Tag

_AMOUNT = re.compile(r"[+-]?([0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,6})(\.[0-9]{1,6})?")
_PAGE = re.compile(r"[?&]page=([0-9]{1,5})")
_CODE = re.compile(r"[?&]code=([0-9A-Z]{6})(&|$)")
_SIGNS = {"상승": 1, "상한가": 1, "상한": 1, "하락": -1, "하한가": -1, "하한": -1, "보합": 0}
_CLASSES = {"bu_pup": 1, "bu_pup2": 1, "bu_pdn": -1, "bu_pdn2": -1}


def read_html(body: bytes) -> BeautifulSoup:
    """Return the page; bytes that are no EUC-KR text become replacement characters."""
    try:
        return BeautifulSoup(body.decode("cp949", errors="replace"), "lxml")
    except ParserRejectedMarkup as error:
        raise SourceChanged(f"naver: expected HTML, got {fragment(body)}") from error


def table_with(page: Tag, what: str, css: str, headers: Sequence[str]) -> Tag:
    """Return the first table of a class whose headings begin with these texts."""
    tables = page.select(css)
    table = next((one for one in tables if heads_of(one)[: len(headers)] == list(headers)), None)
    if table is None:
        odd_page(page, what, f"a table with {' '.join(headers)}")
    return table


def heads_of(table: Tag) -> list[str]:
    """Return the headings of a table without the units in brackets behind them."""
    return [text_in(cell).partition("(")[0].strip() for cell in table.find_all("th")]


def rows_of(table: Tag, columns: int) -> list[list[Tag]]:
    """Return the cells of the rows with so many of them: spacers and lines in between have one."""
    rows = [row.find_all("td") for row in table.find_all("tr")]
    filled = [cells for cells in rows if len(cells) == columns and any(map(text_in, cells))]
    return [list(cells) for cells in filled]


def text_in(cell: Tag) -> str:
    """Return the text of a cell on one line."""
    return " ".join(cell.get_text(" ").split())


def amount_in(cell: Tag, what: str) -> float:
    """Return a number as people write it, with its sign where it has one."""
    return to_amount(text_in(cell), what)


def to_amount(text: str, what: str) -> float:
    """Return the number that a text is."""
    if _AMOUNT.fullmatch(text) is None:
        raise SourceChanged(f"naver {what}: expected a number, got {fragment(text)}")
    return float(text.replace(",", ""))


def optional_amount_in(cell: Tag, what: str) -> float | None:
    """Return a number, None where the cell says N/A or nothing."""
    text = text_in(cell)
    return None if text in {"", "-", "N/A"} else to_amount(text, what)


def change_in(cell: Tag, what: str) -> float:
    """Return a change against the day before: the number has no sign, the arrow beside it does."""
    arrow = cell.find("em")
    if arrow is None:
        change = amount_in(cell, what)
        if change != 0:
            raise SourceChanged(f"naver {what}: expected an arrow beside {fragment(str(change))}")
        return 0.0
    words = text_in(arrow)
    classes = arrow.get_attribute_list("class")
    sign = _SIGNS.get(words, next((_CLASSES[one] for one in classes if one in _CLASSES), None))
    if sign is None:
        raise SourceChanged(f"naver {what}: unknown direction {fragment(words)}")
    number = text_in(cell)[len(words) :].strip()
    return sign * abs(to_amount(number, what))


def code_in(cell: Tag, what: str) -> tuple[str, str]:
    """Return code and name of the instrument that a cell links to; codes may hold letters."""
    link = cell.find("a", href=_CODE)
    match = None if link is None else _CODE.search(str(link.get("href")))
    if link is None or match is None:
        raise SourceChanged(f"naver {what}: expected a link to an instrument, got {_shown(cell)}")
    return match[1], text_in(link)


def last_page(page: Tag) -> int:
    """Return the number of the last page: that of the link behind all others, 1 without one."""
    numbers = [
        int(match[1])
        for link in page.select("table.Nnavi a[href]")
        if (match := _PAGE.search(str(link.get("href")))) is not None
    ]
    return max(numbers, default=1)


def odd_page(page: Tag, what: str, expected: str) -> NoReturn:
    """Raise SourceChanged for a page, with its title or its first words."""
    raise SourceChanged(f"naver {what}: expected {expected}, got {_shown(page)}")


def _shown(part: Tag) -> str:
    return fragment(text_in(part))
