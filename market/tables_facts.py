"""The tables of listings, daily facts and universes; see tables.py for the version they have."""

from __future__ import annotations

from typing import Final

from sqlmodel import Field, SQLModel

from market.tables import table


class ListingRow(SQLModel, table=True):
    """An instrument as a market's list told of it last; the days are those of the listings."""

    __tablename__ = "listing"
    __table_args__ = ({"sqlite_with_rowid": False},)
    instrument: str = Field(primary_key=True)
    name: str
    segment: str
    kind: str
    first_day: str
    last_day: str
    price: float | None
    volume: float | None
    value: float | None
    change: float | None


class FactsRow(SQLModel, table=True):
    """What is known of an instrument when a day is over; `told` says which sources were heard."""

    __tablename__ = "daily_facts"
    __table_args__ = ({"sqlite_with_rowid": False},)
    day: str = Field(primary_key=True)
    instrument: str = Field(primary_key=True)
    told: int
    institutions_1: float | None
    institutions_5: float | None
    institutions_20: float | None
    foreigners_1: float | None
    foreigners_5: float | None
    foreigners_20: float | None
    individuals_1: float | None
    individuals_5: float | None
    individuals_20: float | None
    market_cap: float | None
    listed_shares: float | None
    per: float | None
    pbr: float | None
    eps: float | None
    high_52w: float | None
    low_52w: float | None


class UniverseRow(SQLModel, table=True):
    """A universe as it was computed for a day; `spec` is a digest of what its file said."""

    __tablename__ = "universes"
    universe: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    spec: str
    candidates: int


class MemberRow(SQLModel, table=True):
    """A member of a universe of a day: why it is in, its rank, and what it was ranked by."""

    __tablename__ = "universe_members"
    __table_args__ = ({"sqlite_with_rowid": False},)
    universe: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    place: int = Field(primary_key=True)
    instrument: str
    why: str
    rank: int | None
    value: float | None


LISTING: Final = table("listing")
FACTS: Final = table("daily_facts")
UNIVERSES: Final = table("universes")
MEMBERS: Final = table("universe_members")
