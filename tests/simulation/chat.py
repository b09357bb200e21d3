"""A pretend chat: cards whose text tells all, and the messages in which people see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.messages import Message, Person, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.condition_file import AlertSpec
    from engine.doubt import Doubt
    from engine.ports import OrderView
    from market.orders import Order
    from market.signals import Signal
    from market.types import Instrument

TRADER = Person(7, Role.TRADER, "en", "Kim")
OTHER = Person(8, Role.TRADER, "en", "Lee")
VIEWER = Person(9, Role.VIEWER, "en", "Park")
OWNER = Person(10, Role.OWNER, "en", "Choi")
STRANGER = 666
PEOPLE = (TRADER, OTHER, VIEWER, OWNER)


def card_text(order: Order) -> str:
    """Return what an order's card says: everything that a person would see change."""
    wish = "cancelling" if order.is_cancel_requested else ""
    facts = (order.state, f"v{order.version}", f"{order.filled_quantity:f}", order.code, wish)
    return " ".join(fact for fact in facts if fact)


class PlainCards:
    """The port `Cards`, in as few words as possible."""

    def alert(
        self,
        signal: Signal,
        instrument: Instrument,
        spec: AlertSpec,
        readers: Sequence[Person],
        channel: int | None,
    ) -> tuple[Message, ...]:
        """Return the id of the signal."""
        return tuple(Message(reader.id, signal.id) for reader in readers)

    def order(
        self, order: Order, instrument: Instrument, view: OrderView, person: Person
    ) -> Message:
        """Return a card."""
        return Message(person.id, card_text(order), card=f"order/{order.id}")

    def doubt(self, doubt: Doubt, order: Order, instrument: Instrument, person: Person) -> Message:
        """Return a question that nobody answers: it is no card of an order."""
        return Message(person.id, f"doubt {order.id} {len(doubt.candidates)}")

    def notice(self, code: str, readers: Sequence[Person], **facts: str) -> tuple[Message, ...]:
        """Return the code with its facts."""
        return tuple(Message(reader.id, f"{code} {facts}") for reader in readers)


@dataclass
class Seen:
    """A message as it stands in a private chat; `version` is of the order's card in it."""

    chat: int
    number: int
    card: str | None
    text: str

    @property
    def order_id(self) -> str:
        """Return whose card this is, "" for other messages."""
        return "" if self.card is None else self.card.removeprefix("order/")

    @property
    def version(self) -> int:
        """Return the version that the card's buttons carry."""
        return next(int(word[1:]) for word in self.text.split() if word[0] == "v")


class Chat:
    """What stands in all chats; it outlives the bot."""

    def __init__(self) -> None:
        self.messages: dict[tuple[int, int], Seen] = {}
        self._last = 100

    def send(self, message: Message) -> int:
        """Put a new message into a chat and return its number."""
        self._last += 1
        seen = Seen(message.chat_id, self._last, message.card, message.text)
        self.messages[message.chat_id, self._last] = seen
        return self._last

    def edit(self, message: Message, number: int) -> None:
        """Change what a message says."""
        self.messages[message.chat_id, number].text = message.text

    def cards(self) -> list[Seen]:
        """Return the messages in which orders live, oldest first."""
        return [seen for seen in self.messages.values() if seen.order_id]
