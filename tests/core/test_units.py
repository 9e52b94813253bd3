"""Units: what is read as an amount, how it is written, and which way each helper rounds."""

import pytest

from lombard.core.units import (
    INTEREST_DENOMINATOR,
    UnitsError,
    div_ceil,
    div_floor,
    div_half_up,
    format_units,
    interest_units,
    parse_units,
)


@pytest.mark.parametrize(
    ("text", "decimals", "units"),
    [
        ("0", 8, 0),
        ("0.0", 0, 0),
        ("1", 0, 1),
        ("1", 8, 10**8),
        ("007", 0, 7),
        ("12.5", 8, 1_250_000_000),
        ("0.00000001", 8, 1),
        # Zeros beyond the precision are no excess: clients pad.
        ("1.10", 1, 11),
        ("3.000000000000000000000000000000000000000000000", 2, 300),
        ("12.", 1, 120),
        # Larger than any machine word.
        ("123456789012345678901234567890", 8, 123456789012345678901234567890 * 10**8),
    ],
)
def test_an_amount_is_read(text: str, decimals: int, units: int) -> None:
    assert units == parse_units(text, decimals)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        ".5",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1e3",
        "1_000",
        "1,5",
        "1.2.3",
        "0x10",
        "NaN",
        "Infinity",
        "\u0661",  # a digit to `str.isdigit`, not to us
        "\u00b2",
        "1.\u0665",
        "1234567890123456789012345678901",  # 31 digits
        "1\n",
        "1\x00",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UnitsError) as caught:
        parse_units(text, 8)
    assert not caught.value.excess_digits


@pytest.mark.parametrize(("text", "decimals"), [("0.1", 0), ("1.23", 1), ("0.000000001", 8)])
def test_too_fine_an_amount_is_told_apart(text: str, decimals: int) -> None:
    with pytest.raises(UnitsError) as caught:
        parse_units(text, decimals)
    assert caught.value.excess_digits


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [
        (0, 8, "0"),
        (1, 8, "0.00000001"),
        (-1, 8, "-0.00000001"),
        (1_250_000_000, 8, "12.5"),
        (100, 0, "100"),
        (-250, 2, "-2.5"),
        (10**38 + 1, 8, "1000000000000000000000000000000.00000001"),
    ],
)
def test_units_are_written_as_the_shortest_exact_decimal(
    units: int, decimals: int, text: str
) -> None:
    assert text == format_units(units, decimals)


@pytest.mark.parametrize(
    ("numerator", "floor", "half_up", "ceil"),
    [(0, 0, 0, 0), (1, 0, 0, 1), (2, 0, 1, 1), (3, 0, 1, 1), (4, 1, 1, 1), (5, 1, 1, 2)],
)
def test_a_helper_rounds_the_way_its_name_says(
    numerator: int, floor: int, half_up: int, ceil: int
) -> None:
    assert floor == div_floor(numerator, 4)
    assert half_up == div_half_up(numerator, 4)
    assert ceil == div_ceil(numerator, 4)


def test_negative_numerators_round_towards_the_named_infinity() -> None:
    assert -1 == div_floor(-1, 4)
    assert 0 == div_ceil(-1, 4)


@pytest.mark.parametrize(
    "charged",
    [0, 1, INTEREST_DENOMINATOR // 2 - 1, INTEREST_DENOMINATOR // 2, 10**60, 10**60 + 1],
)
def test_interest_is_rounded_half_up(charged: int) -> None:
    assert div_half_up(charged, INTEREST_DENOMINATOR) == interest_units(charged)
