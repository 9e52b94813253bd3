"""The envelope around every answer: `code`, `msg`, `requestTime` (the machine's), `data`."""

from typing import Final

import msgspec

OK_CODE: Final = "00000"
_OK: Final = b'{"code":"00000","msg":"success","requestTime":'
_ENCODER: Final = msgspec.json.Encoder()


def success(data: object, now_ms: int) -> bytes:
    """Wrap an answer."""
    return b'%b%d,"data":%b}' % (_OK, now_ms, _ENCODER.encode(data))


def failure(code: str, sentence: str, now_ms: int) -> bytes:
    """Wrap a refusal."""
    return b'{"code":%b,"msg":%b,"requestTime":%d,"data":null}' % (
        _ENCODER.encode(code),
        _ENCODER.encode(sentence),
        now_ms,
    )
