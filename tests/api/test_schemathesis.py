"""schemathesis asks for everything the OpenAPI document allows, and for what it does not.

All its checks but one: `ignored_auth` wants 401 or 403, and the dialect says 400 and a code; that
unsigned requests get such a code is asserted here instead. Every request that is refused leaves the
state as it was (`schemathesis_street`).
"""

from collections.abc import Iterator

import pytest
import schemathesis
from schemathesis import Case

from tests.api.schemathesis_street import AUTH_CODES, Judged, load

REQUESTS_MIN = 5_000
LONG_REQUESTS_MIN = 150_000
EXCLUDED = [schemathesis.checks.ignored_auth]
# What is looked at before the signature: that there is such a call, and a body that can be read.
BEFORE_AUTH = {"40404", "40007", "40017"}

SIGNED = load(2, signed=True)
UNSIGNED = load(1, signed=False)
SIGNED_LONG = load(600, signed=True, repeatable=False)
UNSIGNED_LONG = load(400, signed=False, repeatable=False)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """Keep one venue for all of it."""
    found = Judged(tmp_path_factory.mktemp("judged"))
    yield found
    found.close()


def ask_signed(judged: Judged, case: Case) -> None:
    response, _ = judged.ask(case, signed=True)
    case.validate_response(response, excluded_checks=EXCLUDED)


def ask_unsigned(judged: Judged, case: Case) -> None:
    response, code = judged.ask(case, signed=False)
    case.validate_response(response, excluded_checks=EXCLUDED)
    if any("ACCESS-SIGN" in each for each in case.operation.definition.raw.get("security", ())):
        assert code in AUTH_CODES | BEFORE_AUTH, (case.method, case.path, code)


@SIGNED.parametrize()
def test_signed(judged: Judged, case: Case) -> None:
    ask_signed(judged, case)


@UNSIGNED.parametrize()
def test_unsigned(judged: Judged, case: Case) -> None:
    ask_unsigned(judged, case)


def test_enough_was_asked(judged: Judged, request: pytest.FixtureRequest) -> None:
    print(f"\n{judged.count} requests: {judged.codes.most_common()}")
    if len(request.session.items) > 200:
        assert judged.count >= REQUESTS_MIN
    assert len(judged.codes) > 15 or judged.count < REQUESTS_MIN


@pytest.mark.slow
@pytest.mark.timeout(600)
@SIGNED_LONG.parametrize()
def test_signed_at_length(judged: Judged, case: Case) -> None:
    ask_signed(judged, case)


@pytest.mark.slow
@pytest.mark.timeout(600)
@UNSIGNED_LONG.parametrize()
def test_unsigned_at_length(judged: Judged, case: Case) -> None:
    ask_unsigned(judged, case)


@pytest.mark.slow
def test_enough_was_asked_at_length(judged: Judged, request: pytest.FixtureRequest) -> None:
    print(f"\n{judged.count} requests: {judged.codes.most_common()}")
    if len(request.session.items) > 200:
        assert judged.count >= LONG_REQUESTS_MIN
