"""Lengths, plain words and splitting of Telegram HTML."""

from __future__ import annotations

import pytest

from bot.html_text import length, split, to_plain, to_safe


@pytest.mark.parametrize(
    ("html", "size"),
    [
        ("", 0),
        ("abc", 3),
        ("<b>abc</b>", 3),
        ("5 &lt; 6 &amp; 7", 9),
        ("한글", 2),
        ("🔺", 2),
        ('<a href="https://x.y/?a=1&amp;b=2">link</a>', 4),
    ],
)
def test_length_is_in_utf16_units_after_parsing(html: str, size: int) -> None:
    assert length(html) == size


def test_safe_words_hold_no_markup() -> None:
    assert to_safe("<b>5 &lt; 6</b>") == "5 &lt; 6"
    assert to_plain(to_safe("<i>a</i>")) == "a"


def test_short_text_stays_whole() -> None:
    assert split("<b>a</b>\nb", 10) == ["<b>a</b>\nb"]


def test_text_is_cut_at_line_breaks() -> None:
    assert split("aaaa\nbbbb\ncccc", 9) == ["aaaa\nbbbb", "cccc"]


def test_line_that_is_too_long_is_cut() -> None:
    assert split("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


def test_entities_and_emoji_are_never_cut() -> None:
    assert split("&lt;" * 7, 3) == ["&lt;" * 3, "&lt;" * 3, "&lt;"]
    assert split("🔺" * 4, 3) == ["🔺"] * 4


def test_open_tag_is_closed_and_opened_again() -> None:
    assert split("<b>aaaa\nbbbb</b>", 5) == ["<b>aaaa</b>", "<b>bbbb</b>"]


def test_nested_tags_are_carried_over() -> None:
    pieces = split("<b><i>aaaa\nbbbb</i> c</b>\ndd", 6)
    assert pieces == ["<b><i>aaaa</i></b>", "<b><i>bbbb</i> c</b>", "dd"]


def test_attributes_are_carried_over() -> None:
    pieces = split('<a href="u">aaaa\nbbbb</a>', 5)
    assert pieces == ['<a href="u">aaaa</a>', '<a href="u">bbbb</a>']


def test_pieces_hold_all_words_and_keep_to_the_limit() -> None:
    text = "\n".join(f"<b>{number}</b> {'단어 ' * (number % 90)}" for number in range(200))
    pieces = split(text, 300)
    assert all(length(piece) <= 300 for piece in pieces)
    assert "".join(to_plain(text).split()) == "".join("".join(map(to_plain, pieces)).split())


def test_empty_lines_do_not_make_empty_pieces() -> None:
    assert all(to_plain(piece).strip() for piece in split("aaaa\n\n\n\n\n\n\n\nbbbb", 5))
