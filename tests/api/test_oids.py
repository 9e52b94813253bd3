"""Client order ids: ours say which order they are of, and are told from anybody else's."""

import re
import secrets
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.api.oids import generated_oid, order_id_of

FIRST_ID = 10**18


@given(st.integers(1, 2**64 - 1), st.booleans())
def test_a_generated_id_says_which_order_it_is_of(order_id: int, spot: bool) -> None:
    assert order_id == order_id_of(generated_oid(order_id, spot))


def test_generated_ids_look_as_the_venue_s_do() -> None:
    margin, spot = generated_oid(FIRST_ID, False), generated_oid(FIRST_ID, True)

    assert re.fullmatch("[0-9a-f]{32}", margin)
    assert spot == str(uuid.UUID(margin))


def test_neighbours_do_not_look_alike() -> None:
    oids = {generated_oid(FIRST_ID + number, False) for number in range(1000)}

    assert 1000 == len(oids)
    assert 1000 == len({oid[:8] for oid in oids})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "9d80f1a41fa54ba4b602c2a6d80b847c",
        "a2330139-1d04-4d78-98be-07de3cfd1055",
        "0" * 32,
        generated_oid(FIRST_ID, False).upper(),
        generated_oid(FIRST_ID, False)[:-1],
        generated_oid(FIRST_ID, False) + "0",
        generated_oid(FIRST_ID, True).replace("-", "", 1),
        "-" * 36,
        "é" * 32,
    ],
)
def test_other_ids_are_nobody_s(text: str) -> None:
    assert order_id_of(text) is None


@pytest.mark.parametrize("spot", [False, True])
def test_a_random_id_is_never_taken_for_ours(spot: bool) -> None:
    for _ in range(2_000):
        oid = secrets.token_hex(16)
        assert order_id_of(str(uuid.UUID(oid)) if spot else oid) is None
