"""The catalogue of errors: nothing is missing, and every refusal says what it has to."""

import re
from pathlib import Path

import pytest

from lombard.api import errors
from lombard.api.errors import CODES, PARTICULARS, SENTENCES, Fault, Scene, fault_of, refused
from lombard.api.ports import WorldRefused
from lombard.core.refusals import Refusal
from lombard.history.faults import HistoryFailed
from lombard.identity import TooManyChecks
from lombard.node.errors import Overloaded, Stopped

ISOLATED = (Scene.ISOLATED, Scene.ISOLATED_BORROW, Scene.ISOLATED_REPAY)
# Codes of margin, then those that are others elsewhere.
TABLE = {
    Refusal.USER_UNKNOWN: ("40807", {}),
    Refusal.ACCOUNT_UNKNOWN: ("50021", {Scene.SPOT: "40807"}),
    Refusal.MARGIN_NOT_OPENED: ("50021", {}),
    Refusal.COIN_UNKNOWN: ("50032", {Scene.SPOT: "40806", Scene.WALLET: "43129"}),
    Refusal.PAIR_UNKNOWN: ("50024", {Scene.SPOT: "40102"}),
    Refusal.PAIR_NOT_TRADING: ("50027", {Scene.SPOT: "41114", Scene.WALLET: "41114"}),
    Refusal.PAIR_NOT_MARGIN: ("50004", dict.fromkeys(ISOLATED, "50002")),
    Refusal.COIN_NOT_IN_ACCOUNT: ("50001", dict.fromkeys([*ISOLATED, Scene.WALLET], "50039")),
    Refusal.IN_LIQUIDATION: ("50022", {}),
    Refusal.ACCOUNT_FROZEN: ("50064", {Scene.SPOT: "40710", Scene.WALLET: "40710"}),
    Refusal.CLIENT_OID_REUSED: ("50060", {Scene.SPOT: "43118", Scene.WALLET: "43118"}),
    Refusal.AMOUNT_NOT_POSITIVE: (
        "50016",
        {
            Scene.CROSSED_BORROW: "50034",
            Scene.ISOLATED_BORROW: "50034",
            Scene.CROSSED_REPAY: "50040",
            Scene.ISOLATED_REPAY: "50040",
            Scene.SPOT: "01001",
            Scene.WALLET: "01001",
        },
    ),
    Refusal.AMOUNT_TOO_LARGE: ("50061", {Scene.SPOT: "40017", Scene.WALLET: "40017"}),
    Refusal.INSUFFICIENT_BALANCE: ("50020", {Scene.SPOT: "43012", Scene.WALLET: "43012"}),
    Refusal.SAME_ACCOUNT: ("50061", {Scene.WALLET: "40020"}),
    Refusal.NOT_TRANSFERABLE: ("50059", {}),
    Refusal.TRANSFER_OVER_MAXIMUM: ("43117", {}),
    Refusal.NOT_BORROWABLE: ("50037", {}),
    Refusal.BORROW_UNDER_MINIMUM: ("50034", {}),
    Refusal.BORROW_OVER_LEVERAGE: ("50035", {}),
    Refusal.BORROW_OVER_RATIO: ("50035", {}),
    Refusal.BORROW_OVER_USER_LIMIT: ("50035", {}),
    Refusal.BORROW_OVER_POOL: ("50038", {}),
    Refusal.INDEX_STALE: ("40015", {}),
    Refusal.REPAY_OVER_AVAILABLE: ("50041", {}),
    Refusal.REPAY_UNDER_INTEREST: ("50042", {}),
    Refusal.NO_DEBT: ("50040", {}),
    Refusal.LEVERAGE_OUT_OF_RANGE: ("43050", {}),
    Refusal.LEVERAGE_BELOW_DEBT: ("45044", {}),
    Refusal.CAMPAIGN_UNKNOWN: ("40805", {}),
    Refusal.CLAIM_WINDOW_CLOSED: ("40805", {}),
    Refusal.COUPON_CLAIMED: ("40805", {}),
    Refusal.COUPON_NOT_GRANTED: ("40805", {}),
    Refusal.COUPONS_GONE: ("40805", {}),
    Refusal.ORDER_INVALID: ("50061", {Scene.SPOT: "40017", Scene.WALLET: "40017"}),
    Refusal.PRICE_NOT_POSITIVE: ("50018", {Scene.SPOT: "40706", Scene.WALLET: "40706"}),
    Refusal.SIZE_UNDER_MINIMUM: ("50016", {Scene.SPOT: "43006", Scene.WALLET: "43006"}),
    Refusal.SIZE_OVER_MAXIMUM: ("50017", {Scene.SPOT: "43007", Scene.WALLET: "43007"}),
    Refusal.VALUE_UNDER_MINIMUM: ("45110", {}),
    Refusal.PRICE_ABOVE_BAND: ("50047", {Scene.SPOT: "43009", Scene.WALLET: "43009"}),
    Refusal.PRICE_BELOW_BAND: ("50046", {Scene.SPOT: "43008", Scene.WALLET: "43008"}),
    Refusal.TOO_MANY_OPEN_ORDERS: ("50048", {Scene.SPOT: "43005", Scene.WALLET: "43005"}),
    Refusal.POST_ONLY_WOULD_TAKE: ("43002", {}),
    Refusal.FOK_WOULD_NOT_FILL: ("22045", {}),
    Refusal.RISK_TOO_HIGH: ("45009", {}),
    Refusal.NO_POSITION: ("22002", {}),
    Refusal.NO_LIQUIDITY: ("22045", {}),
    Refusal.ORDER_UNKNOWN: ("43001", {}),
    Refusal.TRIGGER_UNKNOWN: ("43025", {}),
    Refusal.ORDER_CLOSED: ("43026", {}),
    Refusal.TRIGGER_PRICE_UNKNOWN: ("45052", {}),
    Refusal.TRIGGER_PRICE_REACHED: ("45052", {}),
    Refusal.TRIGGER_PRICE_TOO_HIGH: ("43034", {}),
    Refusal.TRIGGER_PRICE_TOO_LOW: ("43035", {}),
    Refusal.PROPOSAL_UNKNOWN: ("40805", {}),
    Refusal.OWN_PROPOSAL: ("40805", {}),
    Refusal.TOO_MANY_PROPOSALS: ("40805", {}),
    Refusal.REDUCE_ONLY: ("50027", {Scene.SPOT: "50027", Scene.WALLET: "50027"}),
    Refusal.NOTICE_TOO_SHORT: ("40805", {}),
    Refusal.CONFIGURATION_INVALID: ("40017", {}),
    Refusal.PRECISION_IN_USE: ("40805", {}),
    Refusal.RULES_VERSION_UNKNOWN: ("40805", {}),
    Refusal.COMMAND_UNKNOWN: ("40805", {}),
}


@pytest.mark.parametrize("scene", Scene)
def test_every_refusal_has_its_code_everywhere(scene: Scene) -> None:
    expected = {refusal: others.get(scene, code) for refusal, (code, others) in TABLE.items()}

    assert list(Refusal) == list(TABLE)
    assert expected == CODES[scene]


def test_every_code_has_a_sentence_and_every_sentence_is_said() -> None:
    used = {code for codes in CODES.values() for code in codes.values()}
    sources = Path(errors.__file__).parent.glob("*.py")
    texts = {path.name: path.read_text() for path in sources}
    texts["errors.py"] = texts["errors.py"].split("class Fault")[1]
    for text in texts.values():
        used.update(re.findall(r'Fault\(\s*"(\d+)"', text))
        used.update(re.findall(r'Fault\("\d+" if [^\n]+ else "(\d+)"', text))

    assert used <= set(SENTENCES)
    assert set(SENTENCES) - used == set()


@pytest.mark.parametrize("refusal", Refusal)
@pytest.mark.parametrize("scene", Scene)
def test_particulars_are_in_the_sentence(scene: Scene, refusal: Refusal) -> None:
    sentence = refused(scene, refusal, "BTC", "12.5 USDT").sentence

    template = PARTICULARS.get(refusal, "{detail}")
    for slot, value in (("{detail}", "BTC"), ("{limit}", "12.5 USDT")):
        assert (slot in template) == (value in sentence)
    assert "{" not in sentence
    assert SENTENCES[CODES[scene][refusal]].split("{0}")[0].strip() in sentence


def test_sentences_without_particulars_are_the_dialect_s() -> None:
    assert "Insufficient balance" == Fault("50020").sentence
    assert "Insufficient balance: BTC" == Fault("50020", "BTC").sentence
    assert "symbol is empty" == Fault("400172", "symbol").sentence
    assert "Incorrect permissions, need trade permissions" == Fault("40014", "trade").sentence


@pytest.mark.parametrize(
    ("code", "status"),
    [("50020", 400), ("40009", 400), ("40404", 404), ("429", 429), ("40200", 503), ("40725", 500)],
)
def test_statuses(code: str, status: int) -> None:
    assert status == Fault(code).status


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Overloaded(), "429"),
        (TooManyChecks(), "429"),
        (Stopped("reason"), "40200"),
        (HistoryFailed("reason"), "40200"),
        (WorldRefused("It is later already."), "40017"),
        (Fault("50020"), "50020"),
    ],
)
def test_what_is_no_matter_of_the_request(error: Exception, code: str) -> None:
    fault = fault_of(error)

    assert fault is not None
    assert code == fault.code
    # Why a node stopped is for its operator.
    assert "reason" not in fault.sentence


def test_a_bug_is_not_worded() -> None:
    assert fault_of(KeyError("x")) is None
