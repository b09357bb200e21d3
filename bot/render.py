"""Facts of the engine as messages for people: alerts, order cards and notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.render_alert import alert_text
from bot.render_doubt import doubt_buttons, doubt_text
from bot.render_order import order_buttons, order_text
from bot.reply import command_button
from engine.desk_doubt import doubt_key
from market.messages import Button, Message, Role
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.texts import Texts
    from config.condition_file import AlertSpec
    from engine.doubt import Doubt
    from engine.ports import OrderView
    from market.messages import Person
    from market.orders import Order
    from market.signals import Signal
    from market.types import Instrument


class ChatCards:
    """The engine's Cards: everybody reads in their own language, the channel in `language`.

    `describe` tells a condition's own words by its name. `bot_name` (without @) becomes known
    when Telegram has been asked; with it the channel's alerts link to the private chat.
    """

    def __init__(
        self,
        texts: Texts,
        *,
        language: str = "ko",
        describe: Callable[[str], str] = lambda _: "",
    ) -> None:
        self.bot_name = ""
        self._texts = texts
        self._language = language
        self._describe = describe

    def alert(
        self,
        signal: Signal,
        instrument: Instrument,
        spec: AlertSpec,
        readers: Sequence[Person],
        channel: int | None,
    ) -> tuple[Message, ...]:
        """Return the alert for every reader's private chat and for the channel."""
        described = self._describe(signal.condition)

        def message(chat_id: int, language: str, buttons: tuple[Button, ...]) -> Message:
            return Message(
                chat_id=chat_id,
                text=alert_text(self._texts, language, signal, instrument, spec, described),
                buttons=(buttons,) if buttons else (),
                chart=signal.id if spec.chart else None,
                is_silent=spec.severity == "low",
            )

        private = [
            message(reader.id, reader.language, self._actions(signal, instrument, reader))
            for reader in readers
        ]
        if channel is not None:
            private.append(message(channel, self._language, self._link(instrument)))
        return tuple(private)

    def order(
        self, order: Order, instrument: Instrument, view: OrderView, person: Person
    ) -> Message:
        """Return the card of an order in its present state, keyed `order/ID`."""
        return Message(
            chat_id=person.id,
            text=order_text(self._texts, person.language, order, instrument, view),
            buttons=order_buttons(self._texts, person.language, order, view.signal),
            card=f"order/{order.id}",
        )

    def doubt(self, doubt: Doubt, order: Order, instrument: Instrument, person: Person) -> Message:
        """Return the question which of the venue's orders is ours, keyed `doubt/ID`."""
        return Message(
            chat_id=person.id,
            text=doubt_text(self._texts, person.language, doubt, order, instrument),
            buttons=doubt_buttons(self._texts, person.language, doubt, order),
            card=doubt_key(order.id),
        )

    def notice(self, code: str, readers: Sequence[Person], **facts: str) -> tuple[Message, ...]:
        """Return one plain message a reader about something that happened (text key `code`)."""
        return tuple(
            Message(chat_id=reader.id, text=self._noticed(code, reader.language, facts))
            for reader in readers
        )

    def _noticed(self, code: str, language: str, facts: Mapping[str, str]) -> str:
        """Return a notice; sides, states and reasons are told in the reader's words."""
        words = dict(facts)
        for name, start in (("side", "side."), ("state", "state."), ("reason", "")):
            key = f"{start}{words.get(name, '')}"
            if self._texts.has(key):
                words[name] = self._texts.plain(key, language)
        return self._texts.get(code, language, **words)

    def _actions(
        self, signal: Signal, instrument: Instrument, reader: Person
    ) -> tuple[Button, ...]:
        why, positions, buy = (
            self._texts.plain(f"button.{name}", reader.language)
            for name in ("why", "positions", "buy")
        )
        always = (
            command_button(why, f"/why #{signal.reference}"),
            command_button(positions, "/positions"),
        )
        if not reader.role.includes(Role.TRADER):
            return always
        return (command_button(buy, f"/buy {typed_code(instrument)}"), *always)

    def _link(self, instrument: Instrument) -> tuple[Button, ...]:
        if not self.bot_name:
            return ()
        label = self._texts.plain("button.open_chat", self._language)
        payload = f"i_{typed_code(instrument)}".replace(":", "-")
        return (Button(label=label, url=f"https://t.me/{self.bot_name}?start={payload}"),)


def typed_code(instrument: Instrument) -> str:
    """Return how a person types an instrument: the bare code at KRX, else the whole id."""
    return instrument.code if instrument.venue is Venue.KRX else instrument.id
