"""schemathesis asks for everything the OpenAPI document allows, and for what it does not.

All its checks but one: `ignored_auth` wants 401 or 403, and the dialect says 400 and a code; that
unsigned requests get such a code is asserted here instead. Every request that is refused leaves the
state as it was (`schemathesis_street`).
"""

from collections.abc import Iterator

import pytest
import schemathesis

from tests.api.schemathesis_street import (
    AUTH_CODES,
    BROWSER,
    NOBODY,
    OPERATOR,
    OWNER,
    AnyCase,
    Judged,
    each_case,
)

REQUESTS_MIN = 5_000
LONG_REQUESTS_MIN = 150_000
EXCLUDED = [schemathesis.checks.ignored_auth]
# What is looked at before the signature: that there is such a call, and a body that can be read.
BEFORE_AUTH = {"40404", "40007", "40017"}

RIGHT = each_case(2, signed=True, mode="positive")
WRONG = each_case(2, signed=True, mode="negative")
UNSIGNED = each_case(5, signed=False)
IDENTITY = "/lombard/v1/identity/"
RIGHT_IN_BROWSER = each_case(3, signed=True, mode="positive", paths=IDENTITY)
WRONG_IN_BROWSER = each_case(3, signed=True, mode="negative", paths=IDENTITY)
RIGHT_OFFICE = each_case(2, signed=True, mode="positive", operators=True)
WRONG_OFFICE = each_case(2, signed=True, mode="negative", operators=True)
RIGHT_LONG = each_case(500, signed=True, mode="positive", repeatable=False)
WRONG_LONG = each_case(400, signed=True, mode="negative", repeatable=False)
UNSIGNED_LONG = each_case(200, signed=False, repeatable=False)
OFFICE_LONG = each_case(100, signed=True, mode="positive", repeatable=False, operators=True)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """Keep one venue for all of it."""
    found = Judged(tmp_path_factory.mktemp("judged"))
    yield found
    found.close()


def ask(judged: Judged, case: AnyCase, caller: str) -> None:
    response, _ = judged.ask(case, caller)
    case.validate_response(response, excluded_checks=EXCLUDED)


def ask_unsigned(judged: Judged, case: AnyCase) -> None:
    response, code = judged.ask(case, NOBODY)
    case.validate_response(response, excluded_checks=EXCLUDED)
    if any("ACCESS-SIGN" in each for each in case.operation.definition.raw.get("security", ())):
        assert code in AUTH_CODES | BEFORE_AUTH, (case.method, case.path, code)


@RIGHT
def test_right_and_signed(judged: Judged, case: AnyCase) -> None:
    ask(judged, case, OWNER)


@WRONG
def test_wrong_and_signed(judged: Judged, case: AnyCase) -> None:
    ask(judged, case, OWNER)


@UNSIGNED
def test_unsigned(judged: Judged, case: AnyCase) -> None:
    ask_unsigned(judged, case)


@RIGHT_IN_BROWSER
def test_right_in_a_browser(judged: Judged, case: AnyCase) -> None:
    ask(judged, case, BROWSER)


@WRONG_IN_BROWSER
def test_wrong_in_a_browser(judged: Judged, case: AnyCase) -> None:
    ask(judged, case, BROWSER)


@RIGHT_OFFICE
def test_right_by_an_operator(judged: Judged, case: AnyCase) -> None:
    ask(judged, case, OPERATOR)


@WRONG_OFFICE
def test_wrong_by_an_operator(judged: Judged, case: AnyCase) -> None:
    ask(judged, case, OPERATOR)


def test_enough_was_asked(judged: Judged, request: pytest.FixtureRequest) -> None:
    print(f"\n{judged.count} requests: {judged.codes.most_common()}")
    if len(request.session.items) > 200:
        assert judged.count >= REQUESTS_MIN
    assert len(judged.codes) > 15 or judged.count < REQUESTS_MIN


@pytest.mark.slow
@pytest.mark.timeout(600)
@RIGHT_LONG
def test_right_and_signed_at_length(judged: Judged, case: AnyCase) -> None:
    ask(judged, case, OWNER)


@pytest.mark.slow
@pytest.mark.timeout(600)
@WRONG_LONG
def test_wrong_and_signed_at_length(judged: Judged, case: AnyCase) -> None:
    ask(judged, case, OWNER)


@pytest.mark.slow
@pytest.mark.timeout(600)
@UNSIGNED_LONG
def test_unsigned_at_length(judged: Judged, case: AnyCase) -> None:
    ask_unsigned(judged, case)


@pytest.mark.slow
@pytest.mark.timeout(600)
@OFFICE_LONG
def test_right_by_an_operator_at_length(judged: Judged, case: AnyCase) -> None:
    ask(judged, case, OPERATOR)


@pytest.mark.slow
def test_enough_was_asked_at_length(judged: Judged, request: pytest.FixtureRequest) -> None:
    print(f"\n{judged.count} requests: {judged.codes.most_common()}")
    if len(request.session.items) > 200:
        assert judged.count >= LONG_REQUESTS_MIN
