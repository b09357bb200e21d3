"""The chat page in Debian's chromium: a person reads, types, taps, and nothing can be injected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.telegram_commands import BotCommand
from sandbox.telegram_types import CallbackAnswer, InlineButton
from tests.sandbox.page_stage import CHANNEL, CONFIRM, KIM, Stage, bubble, opened

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser


def test_a_typed_command_is_answered(page: Page, stage: Stage) -> None:
    opened(page, stage)
    page.locator("#text").fill("/buy 005930 10")
    page.keyboard.press("Enter")
    assert stage.hears() == ["/buy 005930 10"]
    answer = stage.says("매수 <b>삼성전자</b> <code>005930</code>\n/orders")
    expect(bubble(page, answer)).to_be_visible()
    expect(bubble(page, answer).locator("b")).to_have_text("삼성전자")
    expect(page.locator(".message.mine")).to_have_count(1)
    bubble(page, answer).get_by_role("button", name="/orders").click()
    assert stage.hears(2)[1] == "/orders"


def test_a_tapped_button_spins_until_it_is_answered(page: Page, stage: Stage) -> None:
    card = stage.says("주문 확인", buttons=CONFIRM)
    opened(page, stage)
    confirm = page.locator('[data-callback="oc:ABC:1"]')
    confirm.click()
    assert stage.hears() == ["oc:ABC:1"]
    expect(confirm).to_have_attribute("aria-busy", "true")
    tap = stage.core.pending_updates()[0]["callback_query"]["id"]
    stage.do(lambda: stage.core.bot_answers(tap, CallbackAnswer("주문을 보냈습니다")))
    expect(page.locator(".toast")).to_have_text("주문을 보냈습니다")
    expect(confirm).not_to_have_attribute("aria-busy", "true")
    stage.edits(card, "체결 완료")
    expect(bubble(page, card)).to_contain_text("체결 완료")
    expect(bubble(page, card).locator(".edited")).to_have_text("수정됨")
    expect(page.locator("[data-callback]")).to_have_count(0)


def test_an_alert_answer_opens_a_dialog(page: Page, stage: Stage) -> None:
    stage.says("?", buttons=CONFIRM)
    opened(page, stage)
    page.locator('[data-callback="od:ABC:1"]').press("Enter")
    stage.hears()
    tap = stage.core.pending_updates()[0]["callback_query"]["id"]
    stage.do(lambda: stage.core.bot_answers(tap, CallbackAnswer("만료된 주문", is_alert=True)))
    expect(page.get_by_role("alertdialog")).to_contain_text("만료된 주문")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alertdialog")).not_to_be_visible()


def test_alerts_arrive_unasked_in_the_channel(page: Page, stage: Stage) -> None:
    opened(page, stage)
    alert = stage.shows("<b>삼성전자</b> 거래량 급증")
    tab = page.locator('[data-chat="channel"]')
    expect(tab.locator(".badge")).to_have_text("1")
    expect(tab.locator(".preview")).to_have_text("삼성전자 거래량 급증")
    expect(page).to_have_title("(1) ticktalk")
    tab.click()
    expect(tab.locator(".badge")).not_to_be_visible()
    image = bubble(page, alert).locator("img")
    expect(image).to_have_js_property("naturalWidth", 480)
    expect(page.locator("#composer")).not_to_be_visible()
    image.click()
    expect(page.locator("#viewer img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer img")).not_to_be_visible()


def test_a_deep_link_writes_to_the_bot(page: Page, stage: Stage) -> None:
    link = InlineButton("주문하기", url="https://t.me/ticktalk_demo_bot?start=signal_1")
    stage.says("알림", CHANNEL, buttons=((link,),))
    opened(page, stage)
    page.locator('[data-chat="channel"]').click()
    page.get_by_role("link", name="주문하기").click()
    assert stage.hears() == ["/start signal_1"]
    expect(page.locator('[data-chat="private"]')).to_have_attribute("aria-selected", "true")


def test_no_message_can_inject_markup(page: Page, stage: Stage) -> None:
    opened(page, stage)
    evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    page.locator("#text").fill(evil)
    page.locator("#send").click()
    escaped = evil.replace("<", "&lt;")
    buttons = ((InlineButton(evil, '"><img src=x>'),), (InlineButton("x", url="javascript:1"),))
    message = stage.says(f'<b>{escaped}</b> <a href="javascript:alert(1)">x</a>', buttons=buttons)
    expect(bubble(page, message).locator("b")).to_have_text(evil)
    expect(page.locator(".message img, .message script, .chat img")).to_have_count(0)
    expect(bubble(page, message).locator("a")).to_have_count(0)
    stage.do(lambda: stage.page.set_status({"note": evil, "market_time": evil, "speed": evil}))
    expect(page.locator("#note")).to_have_text(evil)
    assert page.evaluate("window.hacked") is None


def test_the_command_menu_works_by_keyboard(page: Page, stage: Stage) -> None:
    menu = [BotCommand("start", "시작"), BotCommand("status", "상태"), BotCommand("buy", "매수")]
    stage.core.commands.put("default", "", menu)
    opened(page, stage)
    page.locator("#text").press_sequentially("/s")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert stage.hears() == ["/status"]
    page.locator("#text").press_sequentially("/b")
    page.keyboard.press("Tab")
    expect(page.locator("#text")).to_have_value("/buy ")
    page.locator("#text").press_sequentially("삼성전자 1")
    expect(page.locator("#menu")).not_to_be_visible()
    page.keyboard.press("Enter")
    assert stage.hears(2)[1] == "/buy 삼성전자 1"
    page.locator("#menu-button").click()
    page.get_by_role("option", name="/start").click()
    assert stage.hears(3)[2] == "/start"


def test_enter_that_ends_a_hangul_syllable_does_not_send(page: Page, stage: Stage) -> None:
    opened(page, stage)
    text = page.locator("#text")
    text.fill("삼성")
    text.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    expect(text).to_have_value("삼성")
    text.press("Shift+Enter")
    text.press_sequentially("전자")
    text.press("Enter")
    assert stage.hears() == ["삼성\n전자"]


def test_an_empty_chat_offers_to_start(page: Page, stage: Stage) -> None:
    opened(page, stage)
    page.get_by_role("button", name="시작").click()
    assert stage.hears() == ["/start"]
    expect(page.locator('[data-log="private"] .empty')).to_have_count(0)


def test_a_reader_who_scrolled_up_is_told_of_new_messages(page: Page, stage: Stage) -> None:
    for number in range(40):
        stage.says(f"소식 {number}")
    opened(page, stage)
    log = page.locator('[data-log="private"]')
    expect(page.locator("#chip")).not_to_be_visible()
    log.evaluate("element => { element.scrollTop = 0 }")
    expect(page.locator("#chip")).to_be_visible()
    newest = stage.says("새 소식")
    expect(page.locator("#chip")).to_have_text("새 메시지 1개")
    page.locator("#chip").click()
    expect(bubble(page, newest)).to_be_in_viewport()
    expect(page.locator("#chip")).not_to_be_visible()


def test_the_page_reconnects_and_misses_nothing(page: Page, stage: Stage) -> None:
    kept, gone = stage.says("있음"), stage.says("지워질 것")
    opened(page, stage)
    expect(bubble(page, gone)).to_be_visible()
    stage.wait(stage.serving.stop())
    expect(page.locator("body")).to_have_attribute("data-connected", "false")
    missed = stage.says("놓친 것")
    stage.do(lambda: stage.core.bot_deletes(gone))
    stage.serving = stage.wait(stage.serve(stage.serving.port))
    expect(bubble(page, missed)).to_be_visible()
    expect(bubble(page, kept)).to_be_visible()
    expect(bubble(page, gone)).to_have_count(0)
    expect(page.locator(".message")).to_have_count(2)


def test_a_reconnect_keeps_the_readers_place(page: Page, stage: Stage) -> None:
    for number in range(40):
        stage.says(f"소식 {number}")
    opened(page, stage)
    log = page.locator('[data-log="private"]')
    log.evaluate("element => { element.scrollTop = 200 }")
    expect(page.locator("#chip")).to_be_visible()
    stage.wait(stage.serving.stop())
    missed = stage.says("놓친 것")
    stage.serving = stage.wait(stage.serve(stage.serving.port))
    expect(bubble(page, missed)).to_be_attached()
    expect(page.locator("#chip")).to_have_text("새 메시지 1개")
    expect(log).to_have_js_property("scrollTop", 200)
    page.locator('[data-chat="channel"]').click()
    page.locator('[data-chat="private"]').click()
    expect(log).to_have_js_property("scrollTop", 200)


def test_the_strip_shows_market_time_and_speed(page: Page, stage: Stage) -> None:
    opened(page, stage)
    expect(page.locator("#status")).not_to_be_visible()
    status = {"market_time": "2026-11-24T00:36:12+00:00", "speed": 60, "note": "정규장"}
    stage.do(lambda: stage.page.set_status(status))
    expect(page.locator("#market-time")).to_contain_text("09:36:12")
    expect(page.locator("#speed")).to_have_text("×60")
    expect(page.locator("#note")).to_have_text("정규장")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_page_fits_desktop_and_phone(
    browser: Browser, stage: Stage, tmp_path: Path, width: int, height: int, scheme: Any
) -> None:
    stage.says("주문 확인\n" + "매수 삼성전자 005930 " * 12, buttons=CONFIRM)
    stage.shows("<b>삼성전자</b>", KIM)
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="ko-KR"
    )
    page = opened(context.new_page(), stage)
    expect(page.locator(".message .photo img")).to_be_in_viewport()
    for part in ("private", "channel"):
        expect(page.locator(f'[data-chat="{part}"]')).to_be_in_viewport(ratio=1)
    expect(page.locator("#send")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=tmp_path / f"{width}-{scheme}.png")
    context.close()
