"""Packed transactions: they are the sequence that was packed, whatever is asked of them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.events import Batch, Role
from simulators.transactions import Transaction, Transactions

WORD = st.integers(-(2**63), 2**63 - 1)
SOME = st.lists(st.builds(Transaction, *[WORD] * 8), max_size=8)
PLACE = st.integers(-9, 9) | st.none()


@given(SOME)
def test_they_are_what_was_packed(some: list[Transaction]) -> None:
    packed = Transactions.of(some)
    assert list(packed) == some
    assert list(reversed(packed)) == some[::-1]
    assert [packed[index] for index in range(-len(some), len(some))] == some + some
    assert (len(packed), bool(packed)) == (len(some), bool(some))
    for field in Transaction.__struct_fields__:
        assert packed.column(field) == [getattr(one, field) for one in some]


@given(SOME, SOME, PLACE, PLACE)
def test_slices_and_sums_are_those_of_a_list(
    some: list[Transaction], more: list[Transaction], start: int | None, stop: int | None
) -> None:
    assert list(Transactions.of(some)[start:stop]) == some[start:stop]
    assert list(Transactions.of(some) + Transactions.of(more)) == some + more


@given(SOME, st.sets(st.integers(0, 7)))
def test_a_split_loses_none(some: list[Transaction], places: set[int]) -> None:
    at = sorted(place for place in places if place < len(some))
    chosen, others = Transactions.of(some).chosen(at), Transactions.of(some).without(at)
    assert list(chosen) == [some[index] for index in at]
    assert list(others) == [one for index, one in enumerate(some) if index not in at]


@given(SOME)
def test_a_batch_carries_them(some: list[Transaction]) -> None:
    sent = Batch(1, Role.WRITER, 0, 0, 0, 1, transactions=Transactions.of(some))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sent), type=Batch) == sent


def test_what_cannot_be_had_raises() -> None:
    packed = Transactions.of([Transaction(1, 2, 3, 4, 5, 6, 7, 0)])
    with pytest.raises(IndexError):
        packed[1]
    with pytest.raises(ValueError, match="without a step"):
        packed[::2]
    with pytest.raises(KeyError):
        packed.column("wait_ns")
