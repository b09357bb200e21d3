"""The chat page in Debian's chromium: a person reads, types, taps, and nothing can be injected."""

from __future__ import annotations

import asyncio
import struct
import threading
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.applications import Starlette

from market.clock import SystemClock
from sandbox.chat_page import ChatPage, page_routes
from sandbox.image_size import image_size
from sandbox.server import Serving, serve
from sandbox.telegram_commands import BotCommand
from sandbox.telegram_core import TelegramCore
from sandbox.telegram_html import detect, parse_html
from sandbox.telegram_types import CallbackAnswer, InlineButton

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from sandbox.telegram_types import ChatMessage

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs Debian's chromium at {CHROMIUM}"),
]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KIM = 11111111
CHANNEL = -1001234567890
CONFIRM = ((InlineButton("확인", "oc:ABC:1"), InlineButton("거절", "od:ABC:1")),)
T = TypeVar("T")


def png(width: int = 480, height: int = 270) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x20\x80\xd0" * width) * height
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


class Stage:
    """The sandbox in a loop of its own thread; everything done to it is done in that loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.core = TelegramCore(SystemClock(), limits=None)
        self.core.add_user(KIM, "김개미")
        self.core.add_channel(CHANNEL, "ticktalk 알림")
        self.page = ChatPage(self.core, KIM, {"private": KIM, "channel": CHANNEL})
        self.serving = self.wait(self.serve(0))

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(15)

    def do(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return self.wait(call())

    async def serve(self, port: int) -> Serving:
        return await serve(Starlette(routes=page_routes(self.page)), "127.0.0.1", port)

    def says(self, markup: str, chat_id: int = KIM, **options: Any) -> ChatMessage:
        text, entities = parse_html(markup)
        found = detect(text, entities)
        chat = self.core.chat(chat_id)
        return self.do(lambda: self.core.bot_sends(chat, text, found, **options))

    def shows(self, markup: str, chat_id: int = CHANNEL) -> ChatMessage:
        size = image_size(png())
        assert size is not None
        return self.says(markup, chat_id, photo=self.core.add_photo(png(), size))

    def edits(self, message: ChatMessage, text: str) -> None:
        new = replace(message, text=text, entities=(), buttons=(), edited_at=self.core.now())
        self.do(lambda: self.core.bot_edits(new))

    def hears(self, count: int = 1) -> list[str]:
        """Wait until the bot has this many updates; return what they say."""
        self.wait(self.core.wait(lambda: len(self.core.pending_updates()) >= count))
        return [
            update["message"]["text"] if "message" in update else update["callback_query"]["data"]
            for update in self.core.pending_updates()
        ]

    def close(self) -> None:
        self.do(self.core.stop)
        self.wait(self.serving.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="ko-KR", timezone_id="Asia/Seoul"
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if _is_bad(message) else None)
    page.on("request", lambda request: troubles.append(request.url) if _is_far(request) else None)
    yield page
    context.close()
    assert troubles == []


def _is_bad(message: Any) -> bool:
    # a connection that a test cuts on purpose is reported as an error, too
    return message.type == "error" and "ERR_CONNECTION" not in message.text


def _is_far(request: Any) -> bool:
    return not request.url.startswith("http://127.0.0.1:")


def opened(page: Page, stage: Stage) -> Page:
    page.goto(stage.serving.url)
    expect(page.locator("body")).to_have_attribute("data-connected", "true")
    return page


def bubble(page: Page, message: ChatMessage) -> Any:
    log = "private" if message.chat.id == KIM else "channel"
    return page.locator(f'[data-log="{log}"] [data-message-id="{message.id}"]')


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
