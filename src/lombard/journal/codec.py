"""How a command is written down: one MessagePack array a record.

`[format, seq, time_ms, command_id, account, type_code, field…]`, fields in the order of the
command's `__init__`. Type codes and the order of fields are part of the format: a code is never
given to another command, and a command that gains a field gains a new code. Integers beyond 64
bits travel as an extension that holds them big-endian.

Nothing is written that could not be read: `encode` decodes what it made. Nothing malformed is
read: `decode` raises `CodecError` for whatever `encode` would not have written.
"""

from collections.abc import Callable
from operator import attrgetter
from types import GenericAlias
from typing import Any, Final, final

import msgspec

from lombard.core.commands import (
    AddUser,
    AnnounceCoinTerms,
    AnnounceDelisting,
    AnnouncePairTerms,
    ApproveMove,
    Borrow,
    CancelAllOrders,
    CancelAllTriggers,
    CancelEverything,
    CancelOrder,
    CancelTrigger,
    ClaimCoupon,
    ClosePosition,
    Command,
    ContinueLiquidation,
    CreateCampaign,
    Deposit,
    DrawCoupons,
    EnterDraw,
    Envelope,
    FireTriggers,
    FlashRepay,
    FreezeAccount,
    FundInsurance,
    FundPool,
    GrantCoupons,
    ModifyTrigger,
    MoveFunds,
    PlaceOco,
    PlaceOrder,
    PlaceTrigger,
    PlaceWithExits,
    ProposeMove,
    RejectMove,
    Repay,
    ReplaceOrder,
    RestrictCoin,
    SealAudit,
    SetCoin,
    SetIndexPrices,
    SetLeverage,
    SetPair,
    SetParameter,
    SetRate,
    SetRateModel,
    SetUserLevel,
    SetVipLevels,
    Tick,
    Transfer,
    Upgrade,
    WithdrawAnnouncement,
)

FORMAT: Final = 1
EXT_INTEGER: Final = 1
_SMALL_MAX: Final = 2**31 - 1
INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**64 - 1


class CodecError(ValueError):
    """A record that cannot be read, or a command that cannot be written."""


class RecordTooNew(CodecError):
    """A record in a format that this build does not know yet."""


class _Head(msgspec.Struct, array_like=True, gc=False):
    """What every record begins with."""

    format: int
    seq: int
    time_ms: int
    command_id: bytes
    account: int
    code: int


HEAD_TYPES: Final = (int, int, int, bytes, int, int)


@final
class Kind:
    """One row of the table: a command's code, and the names and types of its fields."""

    __slots__ = ("code", "command", "decoder", "fields", "row_type", "values")

    def __init__(self, code: int, command: type[Command], **fields: object) -> None:
        self.code: Final = code
        self.command: Final = command
        self.fields: Final = fields
        self.row_type: Final = GenericAlias(tuple, (*HEAD_TYPES, *fields.values()))
        self.decoder: Final[msgspec.msgpack.Decoder[Any]] = msgspec.msgpack.Decoder(self.row_type)
        self.values: Final = _values_of(tuple(fields))


def _values_of(names: tuple[str, ...]) -> Callable[[Command], tuple[Any, ...]]:
    if not names:
        return lambda _: ()
    get = attrgetter(*names)
    if len(names) == 1:
        return lambda command: (get(command),)
    return get


_ROWS_OF_2: Final = list[tuple[int, int]]
_ROWS_OF_3: Final = list[tuple[int, int, int]]
_ROWS_OF_4: Final = list[tuple[int, int, int, int]]
_ROWS_OF_5: Final = list[tuple[int, int, int, int, int]]

# Only ever added to.
KINDS: Final = (
    Kind(
        1,
        PlaceOrder,
        pair=int,
        side=int,
        kind=int,
        force=int,
        loan_type=int,
        stp=int,
        price_ticks=int,
        size_steps=int,
        quote_units=int,
        client_oid=str,
        source=int,
    ),
    Kind(2, CancelOrder, pair=int, order_id=int, client_oid=str),
    Kind(3, CancelAllOrders, pair=int),
    Kind(
        4,
        ReplaceOrder,
        pair=int,
        order_id=int,
        client_oid=str,
        price_ticks=int,
        size_steps=int,
        new_client_oid=str,
    ),
    Kind(5, Borrow, coin=int, units=int, client_oid=str),
    Kind(6, Repay, coin=int, units=int, client_oid=str),
    Kind(7, SetLeverage, leverage=int),
    Kind(8, Transfer, to_account=int, coin=int, units=int, client_oid=str),
    Kind(9, Deposit, coin=int, units=int),
    Kind(20, Tick),
    Kind(21, ContinueLiquidation, max_steps=int),
    Kind(22, SetIndexPrices, prices=_ROWS_OF_5),
    Kind(23, SetRate, coin=int, rate_e12=int),
    Kind(40, AddUser),
    Kind(41, SetUserLevel, user=int, level=int),
    Kind(
        42,
        SetCoin,
        name=str,
        decimals=int,
        collateral_steps=_ROWS_OF_2,
        cross_tiers=_ROWS_OF_3,
        user_limit_units=int,
        min_borrow_units=int,
        borrowable=bool,
        transferable=bool,
    ),
    Kind(
        43,
        SetPair,
        symbol=str,
        base=int,
        quote=int,
        tick_e12=int,
        step_units=int,
        maker_fee_e6=int,
        taker_fee_e6=int,
        min_value_units=int,
        min_size_steps=int,
        max_size_steps=int,
        max_open_orders=int,
        isolated_tiers=_ROWS_OF_4,
        liquidation_fee_e6=int,
        crossed=bool,
        trading=bool,
    ),
    Kind(44, SetParameter, name=str, value=int),
    Kind(45, SetVipLevels, levels=_ROWS_OF_2),
    Kind(46, FundPool, coin=int, units=int),
    Kind(47, FundInsurance, coin=int, units=int),
    Kind(48, Upgrade, rules_version=int),
    Kind(
        60,
        SetRateModel,
        coin=int,
        base_e12=int,
        kink_e6=int,
        at_kink_e12=int,
        at_full_e12=int,
        premium_e12=int,
    ),
    Kind(
        61,
        CreateCampaign,
        name=str,
        discount_e6=int,
        caps=_ROWS_OF_2,
        duration_ms=int,
        claim_from_ms=int,
        claim_until_ms=int,
        count=int,
        access=int,
        starts_on_claim=bool,
        seed_hash=str,
    ),
    Kind(62, GrantCoupons, campaign=int, users=list[int]),
    Kind(63, EnterDraw, campaign=int, users=list[int]),
    Kind(64, DrawCoupons, campaign=int, seed=str),
    Kind(65, ClaimCoupon, campaign=int),
    Kind(110, ClosePosition, pair=int, repay=bool, client_oid=str, source=int),
    Kind(111, FlashRepay, coin=int),
    Kind(
        90,
        PlaceTrigger,
        pair=int,
        plan=int,
        price_source=int,
        trigger_ticks=int,
        callback_e6=int,
        side=int,
        kind=int,
        force=int,
        loan_type=int,
        stp=int,
        price_ticks=int,
        size_steps=int,
        quote_units=int,
        client_oid=str,
        source=int,
    ),
    Kind(
        91,
        ModifyTrigger,
        trigger_id=int,
        client_oid=str,
        trigger_ticks=int,
        kind=int,
        price_ticks=int,
        size_steps=int,
        quote_units=int,
    ),
    Kind(92, CancelTrigger, trigger_id=int, client_oid=str),
    Kind(93, CancelAllTriggers, pairs=list[int]),
    Kind(94, FireTriggers),
    Kind(
        95,
        PlaceWithExits,
        pair=int,
        side=int,
        kind=int,
        force=int,
        loan_type=int,
        stp=int,
        price_ticks=int,
        size_steps=int,
        quote_units=int,
        price_source=int,
        take_profit_ticks=int,
        take_profit_price_ticks=int,
        stop_loss_ticks=int,
        stop_loss_price_ticks=int,
        client_oid=str,
        source=int,
    ),
    Kind(
        96,
        PlaceOco,
        pair=int,
        side=int,
        loan_type=int,
        stp=int,
        price_ticks=int,
        size_steps=int,
        price_source=int,
        trigger_ticks=int,
        stop_price_ticks=int,
        client_oid=str,
        source=int,
    ),
    Kind(
        80,
        AnnounceCoinTerms,
        coin=int,
        collateral_steps=_ROWS_OF_2,
        cross_tiers=_ROWS_OF_3,
        user_limit_units=int,
        effective_ms=int,
    ),
    Kind(81, AnnouncePairTerms, pair=int, isolated_tiers=_ROWS_OF_4, effective_ms=int),
    Kind(82, AnnounceDelisting, coin=int, pair=int, reduce_only_ms=int, repay_ms=int),
    Kind(83, WithdrawAnnouncement, announcement=int),
    Kind(97, CancelEverything, pairs=list[int]),
    Kind(120, MoveFunds, kind=int, user=int, coin=int, units=int),
    Kind(121, ProposeMove, kind=int, user=int, coin=int, units=int),
    Kind(122, ApproveMove, proposal=int),
    Kind(123, RejectMove, proposal=int),
    Kind(124, FreezeAccount, user=int, slot=int, frozen=bool),
    Kind(125, RestrictCoin, coin=int, borrowable=bool, transferable=bool),
    Kind(130, SealAudit, entry=int, digest=str),
)
_BY_CODE: Final = {kind.code: kind for kind in KINDS}
_BY_COMMAND: Final[dict[type, Kind]] = {kind.command: kind for kind in KINDS}
assert len(KINDS) == len(_BY_CODE) == len(_BY_COMMAND)


def encode(envelope: Envelope) -> bytes:
    """Write an envelope down. Raises `CodecError` when it could not be read back."""
    command = envelope.command
    kind = _BY_COMMAND.get(type(command))
    if kind is None:
        raise CodecError(f"A {type(command).__name__} is not a command of the journal.")
    row = (
        FORMAT,
        envelope.seq,
        envelope.time_ms,
        envelope.command_id,
        envelope.account,
        kind.code,
        *kind.values(command),
    )
    try:
        payload = _encode(row)
        kind.decoder.decode(payload)
    except OverflowError:
        return _encode_wide(kind, row)
    except (TypeError, ValueError, RecursionError) as fault:
        raise _unwritable(kind, fault) from None
    return payload


def decode(payload: bytes) -> Envelope:
    """Read an envelope. Raises `CodecError` for anything `encode` would not have written."""
    try:
        head = _decode_head(payload)
        kind = _kind(head.format, head.code)
        row = kind.decoder.decode(payload)
    except msgspec.ValidationError:
        kind, row = _decode_wide(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise CodecError(f"The record is not well-formed: {fault}.") from None
    try:
        command = kind.command(*row[6:])
        return Envelope(row[1], row[2], row[3], row[4], command)
    except (TypeError, ValueError, OverflowError) as fault:
        raise CodecError(f"The record is no {kind.command.__name__}: {fault}.") from None


def _kind(record_format: object, code: object) -> Kind:
    if type(record_format) is int and FORMAT < record_format <= _SMALL_MAX:
        raise RecordTooNew(
            f"The record has format {record_format}; this build reads formats up to {FORMAT}."
        )
    if type(code) is not int or record_format != FORMAT or abs(code) > _SMALL_MAX:
        raise CodecError("The record does not begin like one.")
    kind = _BY_CODE.get(code)
    if kind is None:
        raise RecordTooNew(f"The record has type code {code}, which this build does not know.")
    return kind


def _unwritable(kind: Kind, fault: Exception) -> CodecError:
    return CodecError(f"This {kind.command.__name__} cannot be written: {str(fault).rstrip('.')}.")


# --- integers beyond 64 bits ---------------------------------------------------------------------


def _encode_wide(kind: Kind, row: tuple[Any, ...]) -> bytes:
    try:
        payload = _encode(_widen(row))
        _decode_wide(payload)
    except (TypeError, ValueError, RecursionError) as fault:
        raise _unwritable(kind, fault) from None
    return payload


def _widen(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_widen(item) for item in value]
    if type(value) is int and not INT_MIN <= value <= INT_MAX:
        return msgspec.msgpack.Ext(EXT_INTEGER, _integer_bytes(value))
    return value


def _integer_bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _read_extension(code: int, data: memoryview) -> int:
    value = int.from_bytes(data, "big", signed=True)
    # One value has one encoding.
    if code != EXT_INTEGER or INT_MIN <= value <= INT_MAX or _integer_bytes(value) != data:
        raise CodecError("The record holds an extension that is not a large integer.")
    return value


def _decode_wide(payload: bytes) -> tuple[Kind, Any]:
    """Read a record that may hold large integers; five times slower."""
    try:
        row = _decode_any(payload)
        # A newer format may be of any length: what it is comes first.
        padded = [*row, None, None, None, None, None, None] if type(row) is list else [None] * 6
        kind = _kind(padded[0], padded[5])
        return kind, msgspec.convert(row, kind.row_type, builtin_types=(bytes,))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise CodecError(f"The record is not well-formed: {fault}.") from None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_head: Final = msgspec.msgpack.Decoder(_Head).decode
_decode_any: Final = msgspec.msgpack.Decoder(ext_hook=_read_extension).decode
