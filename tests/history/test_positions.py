"""Positions: average entry, realised profit, and coins that come and go without a trade."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.core.commands import BUY, SELL
from lombard.history.position_log import Position, PositionLog

Fill = tuple[int, int, int]


def after(*fills: Fill) -> tuple[int, int, int]:
    """Return size, cost and realised profit after some fills."""
    position = Position()
    for side, base_units, quote_units in fills:
        position.trade(side, base_units, quote_units, 5)
    return position.size_units, position.cost_units, position.realised_units


@pytest.mark.parametrize(
    ("fills", "expected"),
    [
        ([(BUY, 10, 100)], (10, 100, 0)),
        # At 10 and at 20: 15 on average.
        ([(BUY, 10, 100), (BUY, 10, 200)], (20, 300, 0)),
        # 5 sold at 30 that cost 15 each.
        ([(BUY, 10, 100), (BUY, 10, 200), (SELL, 5, 150)], (15, 225, 75)),
        ([(BUY, 10, 100), (SELL, 10, 80)], (0, 0, -20)),
        # A short gains when it is bought back for less.
        ([(SELL, 10, 100)], (-10, 100, 0)),
        ([(SELL, 10, 100), (BUY, 4, 20)], (-6, 60, 20)),
        ([(SELL, 10, 100), (BUY, 10, 130)], (0, 0, -30)),
        # Through nothing to the other side: 10 are closed for 120, 5 opened for 60.
        ([(BUY, 10, 100), (SELL, 15, 180)], (-5, 60, 20)),
        ([(SELL, 10, 100), (BUY, 15, 75)], (5, 25, 50)),
    ],
)
def test_fills_make_a_position(fills: list[Fill], expected: tuple[int, int, int]) -> None:
    assert expected == after(*fills)


amounts = st.integers(1, 10**20)
fills = st.lists(st.tuples(st.sampled_from([BUY, SELL]), amounts, amounts), max_size=20)


@given(fills)
def test_profit_is_what_came_in_less_what_went_out(trades: list[Fill]) -> None:
    size, cost, realised = after(*trades)

    came = sum(quote for side, _, quote in trades if side == SELL)
    went = sum(quote for side, _, quote in trades if side == BUY)
    bought = sum(base for side, base, _ in trades if side == BUY)
    sold = sum(base for side, base, _ in trades if side == SELL)
    assert bought - sold == size
    # What is open has its price in its cost, and no profit yet; to the last unit.
    assert came - went + (cost if size > 0 else -cost) == realised
    assert cost >= 0
    assert size != 0 or cost == 0


@given(fills, st.integers(-(10**21), 10**21))
def test_what_moves_shrinks_at_cost_and_opens_nothing(trades: list[Fill], change: int) -> None:
    position = Position()
    for side, base_units, quote_units in trades:
        position.trade(side, base_units, quote_units, 5)
    size, cost, realised = position.size_units, position.cost_units, position.realised_units

    taken = position.move(change, 7)

    assert realised == position.realised_units
    assert abs(size) - taken == abs(position.size_units)
    assert 0 <= taken <= min(abs(size), abs(change))
    assert size * change < 0 or taken == 0
    if taken:
        assert cost * (abs(size) - taken) <= position.cost_units * abs(size)
        assert position.size_units * size >= 0


class Written:
    """Stands for the tables."""

    def position(self, account: int, pair: int) -> Position | None:
        return Position(10, 100, 0, 1, 1) if pair < 2 else None

    def position_pairs(self, account: int) -> list[int]:
        return [0, 1]


def test_pairs_of_a_coin_take_in_what_moves_one_after_the_other() -> None:
    # Pairs 0 and 1 have the base 5, pair 2 another.
    log = PositionLog(Written(), lambda pair: (5 if pair < 2 else 6, 7))
    log.filled(1, 2, BUY, 4, 40, 9)

    log.moved(1, 5, -14, 9)
    log.moved(1, 6, 3, 9)
    log.moved(1, 7, -3, 9)

    cells: list[int | str] = []
    log.take(cells)
    rows = [cells[start : start + 7] for start in range(0, len(cells), 7)]
    assert [
        [1, 2, "4", "40", "0", 9, 9],
        [1, 0, "0", "0", "0", 1, 9],
        [1, 1, "6", "60", "0", 1, 9],
    ] == rows
