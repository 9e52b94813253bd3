"""Orders over the socket: the REST rows for orders, asked in another way (reference §6.6).

The channel is the last part of a row's path, with the kind of margin behind it for margin: body,
permission, limits and handler are the row's. Spot has `place-order` and `cancel-order` from the
dialect; batches, and margin altogether, are Lombard's.
"""

import time
from typing import Final

import msgspec

from lombard.api.auth import check_permission
from lombard.api.context import Call, Context
from lombard.api.endpoints import ENDPOINTS
from lombard.api.errors import Fault, fault_of
from lombard.api.socket.words import Trade, encoded
from lombard.api.table import Endpoint
from lombard.identity import ApiKey

# The dialect's alphabet for a client's own name of a request.
ID_LENGTH_MAX: Final = 40

SPOT_CALLS: Final = ("place-order", "cancel-order", "batch-orders", "batch-cancel-order")
MARGIN_CALLS: Final = (
    "place-order",
    "cancel-order",
    "batch-place-order",
    "batch-cancel-order",
)


def _rows() -> dict[tuple[str, str], Endpoint]:
    by_path = {row.path: row for row in ENDPOINTS}
    rows = {("SPOT", call): by_path[f"/api/v2/spot/trade/{call}"] for call in SPOT_CALLS}
    for mode in ("crossed", "isolated"):
        for call in MARGIN_CALLS:
            rows["MARGIN", f"{call}-{mode}"] = by_path[f"/api/v2/margin/{mode}/{call}"]
    return rows


ENTRIES: Final[dict[tuple[str, str], Endpoint]] = _rows()
_PARAMS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()


async def enter(context: Context, key: ApiKey, trade: Trade, command_id: bytes) -> bytes:
    """Carry out one request; returns the frame that answers it, whatever became of it."""
    try:
        endpoint = ENTRIES.get((trade.instType, trade.channel))
        if endpoint is None:
            raise Fault("40017", f"{trade.instType} {trade.channel}")
        if len(trade.id) > ID_LENGTH_MAX:
            raise Fault("40017", "id")
        assert endpoint.permission is not None
        check_permission(key, endpoint.permission)
        if context.limits is not None:
            left = context.limits.admit_call(
                endpoint.path, endpoint.per_second, key.user, time.monotonic_ns()
            )
            if left < 0:
                raise Fault("429")
        request = endpoint.decode(_body(trade))
        data = await endpoint.handler(Call(context, endpoint.scene, key.user, command_id), request)
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
        return refused(trade, fault)
    return _answer(trade, "trade", data, 0, "Success")


def refused(trade: Trade, fault: Fault) -> bytes:
    """Answer a request that came to nothing, with the code REST would have had."""
    return _answer(trade, "error", trade.params, int(fault.code), fault.sentence)


def _answer(trade: Trade, event: str, params: object, code: int, msg: str) -> bytes:
    arg = {
        "id": trade.id,
        "instType": trade.instType,
        "channel": trade.channel,
        "instId": trade.instId,
        "params": params,
    }
    return encoded({"event": event, "arg": [arg], "code": code, "msg": msg})


def _body(trade: Trade) -> bytes:
    """Write the body REST would have had: the parameters, and the pair."""
    try:
        params = _PARAMS.decode(trade.params)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Fault("40017", "params") from None
    if "symbol" in params:
        raise Fault("40017", "symbol: the pair is instId")
    params["symbol"] = msgspec.Raw(_ENCODER.encode(trade.instId))
    return _ENCODER.encode(params)
