"""HTML markup becomes text and entities as Telegram counts them, and bad markup is named."""

from __future__ import annotations

import pytest

from sandbox.telegram_errors import RefusalError
from sandbox.telegram_html import detect, parse_html, strip, utf16_length
from sandbox.telegram_types import Entity


def entities(markup: str) -> list[tuple[str, int, int]]:
    return [(entity.kind, entity.offset, entity.length) for entity in parse_html(markup)[1]]


def complaint(markup: str) -> str:
    with pytest.raises(RefusalError) as refused:
        parse_html(markup)
    assert refused.value.code == 400
    return refused.value.description.removeprefix("Bad Request: can't parse entities: ")


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("b", "bold"),
        ("strong", "bold"),
        ("i", "italic"),
        ("em", "italic"),
        ("u", "underline"),
        ("ins", "underline"),
        ("s", "strikethrough"),
        ("strike", "strikethrough"),
        ("del", "strikethrough"),
        ("code", "code"),
        ("pre", "pre"),
        ("blockquote", "blockquote"),
        ("tg-spoiler", "spoiler"),
        ("B", "bold"),
    ],
)
def test_every_tag_makes_its_entity(tag: str, kind: str) -> None:
    assert parse_html(f"가 <{tag}>삼성</{tag}>") == ("가 삼성", (Entity(kind, 2, 2),))


def test_offsets_count_utf16_units() -> None:
    assert entities("📈 <b>🚀x</b> <i>y</i>") == [("bold", 3, 3), ("italic", 7, 1)]
    assert utf16_length("📈가a") == 4


def test_nested_tags_come_outer_first() -> None:
    assert entities("<b>a<i>b</i></b>") == [("bold", 0, 2), ("italic", 1, 1)]


def test_references_are_decoded_and_unknown_ones_stay() -> None:
    text, _ = parse_html("&lt;b&gt; &amp;&quot; &#44032;&#xAC01; &nbsp; &#99999999; a & b &lt")
    assert text == '<b> &" 가각 &nbsp; &#99999999; a & b <'


def test_a_link_keeps_its_address() -> None:
    _, (entity,) = parse_html('<a href="https://example.com/?a=1&amp;b=2">열기</a>')
    assert (entity.kind, entity.url) == ("text_link", "https://example.com/?a=1&b=2")


def test_a_link_to_a_script_is_no_link() -> None:
    assert parse_html('<a href="javascript:alert(1)">x</a>') == ("x", ())


def test_a_link_without_address_takes_its_text() -> None:
    assert parse_html("<a>example.com</a>")[1][0].url == "http://example.com"


def test_a_code_language_belongs_to_the_pre() -> None:
    _, found = parse_html('<pre><code class="language-python">x</code></pre>')
    assert found == (Entity("pre", 0, 1, language="python"),)


def test_an_expandable_quote_is_told_apart() -> None:
    assert entities("<blockquote expandable>x</blockquote>") == [("expandable_blockquote", 0, 1)]


def test_a_span_may_only_be_a_spoiler() -> None:
    assert entities('<span class="tg-spoiler">x</span>') == [("spoiler", 0, 1)]
    assert complaint("<span>x</span>").startswith('Tag "span" must have class "tg-spoiler"')


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("가<x>", 'Unsupported start tag "x" at byte offset 3'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a href=>x", 'Can\'t find end tag corresponding to start tag "a"'),
        ("<a =x>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=a,b>", "Unexpected end of name token at byte offset 8"),
        ('<a href="x>', "Unclosed start tag at byte offset 0"),
        ("<a href ", 'Unclosed start tag "a" at byte offset 0'),
    ],
)
def test_bad_markup_is_refused_with_its_place(markup: str, expected: str) -> None:
    assert complaint(markup) == expected


def test_strip_moves_the_entities() -> None:
    text, found = strip("\n 📈가 \n", (Entity("bold", 0, 6), Entity("italic", 5, 2)))
    assert text == "📈가"
    assert found == (Entity("bold", 0, 3),)


def test_detect_finds_commands_and_addresses_but_not_in_code() -> None:
    text = "/buy 005930 or /help@ticktalk_bot, see https://example.com/a. 1/2 a/b /code"
    code = Entity("code", text.index("/code"), 5)
    kinds = [(e.kind, text[e.offset : e.offset + e.length]) for e in detect(text, (code,))]
    assert kinds == [
        ("bot_command", "/buy"),
        ("bot_command", "/help@ticktalk_bot"),
        ("url", "https://example.com/a"),
        ("code", "/code"),
    ]
