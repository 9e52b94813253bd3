"""Signed requests that come twice: each is done once, and answered both times as the first.

The dialect has no nonce. A request can be sent again as long as its timestamp is fresh, by a client
that missed the answer or by whoever captured it. The engine answers a command it remembers with its
first reply, across restarts too. Here is known for as long as a timestamp can be fresh what the
engine does not keep: requests that it refused, and that one has come at all, if so many others
came since that the engine has forgotten it.

That is bounded: so many requests, those with long answers counting as several. A request that finds
no room is refused (429), and those that lower risk find some when others do not any more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, final

import msgspec

from lombard.api.errors import Fault
from lombard.api.signing import WINDOW_MS

# What the engine remembers for certain (`lombard.core.replies`), less what may be under way.
REPLIES_KEPT: Final = 131_072 - 8_192
# At 165 bytes each (measured) 165 MB at most: 16 600 requests a second, each kept for a minute.
SEEN_MAX: Final = 1_000_000
# The part of it that trading leaves to cancels and repayments: a tenth.
KEPT_FREE: Final = 10
# Bytes of an answer that count as one more request.
ANSWER_BYTES: Final = 128
# Of the catalogue: what passes by itself is not an answer to remember.
REFUSED: Final = 400


@final
class _UnderWay:
    """A request that is not answered yet."""

    __slots__ = ("is_secret", "seq", "signed_ms", "waiting")

    def __init__(self, seq: int, signed_ms: int) -> None:
        self.seq: Final = seq
        self.signed_ms: Final = signed_ms
        # What it answers with is given once, and to nobody who sends the same again.
        self.is_secret = False
        self.waiting: list[asyncio.Future[None]] = []


@final
class _Answered:
    """The answer to a request of several commands, as it is written."""

    __slots__ = ("answer",)

    def __init__(self, answer: bytes) -> None:
        self.answer: Final = answer


@final
class _Refused:
    """What a request was refused with; a `Fault` would be ten times as large."""

    __slots__ = ("code", "particulars", "status")

    def __init__(self, fault: Fault) -> None:
        self.code: Final = fault.code
        self.particulars: Final = fault.particulars
        self.status: Final = fault.status

    def fault(self) -> Fault:
        """Word it again."""
        return Fault(self.code, self.particulars, self.status)


# The number in the log from which on a request that was done can be found; or what it came to.
Outcome = int | _Refused | _Answered | _UnderWay


@final
class Replays:
    """The signed requests that may still come again, by the ids of their commands."""

    def __init__(self, clock_ms: Callable[[], int] = lambda: 0, seen_max: int = SEEN_MAX) -> None:
        """`clock_ms` is the machine's clock."""
        self._clock_ms = clock_ms
        self._seen_max = seen_max
        # How many requests those that are remembered count as.
        self._weight = 0
        # What was signed before may have been answered by the process before this one.
        self._began_ms = clock_ms()
        self._seen: dict[bytes, Outcome] = {}
        # Which ones cannot come again after a second of the machine's.
        self._ending: dict[int, list[bytes]] = {}
        self._ended_s = 0

    def __len__(self) -> int:
        """Say how many are remembered."""
        return len(self._seen)

    def is_short(self) -> bool:
        """Say whether what is left is for what lowers risk only."""
        most = self._seen_max - self._seen_max // KEPT_FREE
        if self._weight >= most:
            self._forget_until(self._clock_ms() // 1000)
        return self._weight >= most

    def knows(self, command_id: bytes) -> bool:
        """Say whether a request has come before."""
        return command_id in self._seen

    def forbid(self, command_id: bytes) -> None:
        """Refuse a request under way from its second time on, for it answers with a secret.

        Raises `Fault` when this may be the second time already. What is not signed, a browser's
        request, has no name here and comes once.
        """
        request = self._seen.get(command_id)
        if isinstance(request, _UnderWay):
            if request.signed_ms < self._began_ms:
                raise again()
            request.is_secret = True

    async def once(
        self,
        command_id: bytes,
        signed_ms: int,
        now_ms: int,
        seq: Callable[[], int],
        work: Callable[[], Awaitable[tuple[object, bool]]],
    ) -> object:
        """Do the work of a request that is new; answer one that is not as the first time.

        `seq` says where the log is. The work returns its answer, and whether that has parts which
        were refused by themselves. Raises `Fault`.
        """
        outcome = self._seen.get(command_id)
        while isinstance(outcome, _UnderWay):
            turn = asyncio.get_running_loop().create_future()
            outcome.waiting.append(turn)
            await turn
            outcome = self._seen.get(command_id)
        if isinstance(outcome, _Refused):
            raise outcome.fault()
        if isinstance(outcome, _Answered):
            return msgspec.Raw(outcome.answer)
        if outcome is not None:
            if seq() - outcome > REPLIES_KEPT:
                raise again()
            return (await work())[0]
        return await self._first(command_id, signed_ms, now_ms, seq(), work)

    async def _first(
        self,
        command_id: bytes,
        signed_ms: int,
        now_ms: int,
        seq: int,
        work: Callable[[], Awaitable[tuple[object, bool]]],
    ) -> object:
        self._forget_until(now_ms // 1000)
        if self._weight >= self._seen_max:
            raise full()
        under_way = _UnderWay(seq, signed_ms)
        self._seen[command_id] = under_way
        self._weight += 1
        ending = (signed_ms + WINDOW_MS) // 1000 + 1
        self._ending.setdefault(ending, []).append(command_id)
        # Done, for all that is known, unless it turns out otherwise: then the engine is asked.
        outcome: Outcome = seq
        try:
            answer, has_parts = await work()
            if has_parts:
                outcome = _Answered(_encode(answer))
            return answer
        except Fault as fault:
            if fault.status == REFUSED:
                outcome = _Refused(fault)
            raise
        finally:
            if under_way.is_secret:
                outcome = _Refused(again())
            self._seen[command_id] = outcome
            self._weight += _weight(outcome) - 1
            for turn in under_way.waiting:
                if not turn.done():
                    turn.set_result(None)

    def _forget_until(self, now_s: int) -> None:
        """Forget what cannot come again."""
        if now_s <= self._ended_s:
            return
        self._ended_s = now_s
        for second in [each for each in self._ending if each < now_s]:
            for command_id in self._ending.pop(second):
                if isinstance(self._seen.get(command_id), _UnderWay):
                    self._ending.setdefault(now_s + 1, []).append(command_id)
                else:
                    self._weight -= _weight(self._seen.pop(command_id, None))


def full() -> Fault:
    """Word the refusal of a request that finds no room."""
    return Fault("429", "as many signed requests as are remembered came within a minute")


def again() -> Fault:
    """Word the refusal of a request that is neither done nor answered again."""
    return Fault("40008", "it was answered before")


def _weight(outcome: Outcome | None) -> int:
    """Say how many requests one counts as; 0 for none."""
    if outcome is None:
        return 0
    return 1 + len(outcome.answer) // ANSWER_BYTES if isinstance(outcome, _Answered) else 1


_encode: Final = msgspec.json.Encoder().encode
