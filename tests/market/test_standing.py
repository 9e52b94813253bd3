"""Where the market stands is kept for the next start."""

from pathlib import Path

import pytest

from lombard.market import (
    StandingError,
    build_tape,
    keep_standing,
    new_standing,
    read_standing,
)
from lombard.market.makers import Makers
from lombard.market.standing import FILE_NAME
from tests.market.csvs import of_closes


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    tape, other = build_tape(of_closes([1, 2]), 7), build_tape(of_closes([1, 3]), 7)
    assert read_standing(tmp_path) is None
    standing = new_standing(tape, 1_700_000_000_000, 1_000_001, 1_000_002)

    keep_standing(tmp_path, standing)

    assert standing == read_standing(tmp_path)
    assert [FILE_NAME] == [path.name for path in tmp_path.iterdir()]
    assert Makers(1_000_001 << 16, 1_000_002 << 16) == standing.makers()
    assert standing.is_of(tape)
    assert not standing.is_of(other)
    assert not standing.is_of(build_tape(of_closes([1, 2]), 8))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is damaged"),
        ("{}", "is damaged"),
        (
            '{"format":2,"digest":"x","seed":1,"start_ms":0,"maker_user":1,"taker_user":2}',
            "has format 2; this version reads 1",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / FILE_NAME).write_text(text)

    with pytest.raises(StandingError) as caught:
        read_standing(tmp_path)

    assert sentence in str(caught.value)
    assert "emove" in str(caught.value)
