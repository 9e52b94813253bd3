"""A user's notices as they come: what has to be known without having been asked."""

from typing import Final, final

from lombard.api import notices
from lombard.api.context import Context
from lombard.api.notices import Notice
from lombard.api.socket.topic import ROWS_MAX, SNAPSHOT, Topic
from lombard.api.socket.words import push
from lombard.core.commands import ClaimCoupon, Envelope
from lombard.core.events import (
    AnnouncedChangeMade,
    AnnouncementWithdrawn,
    ChangeAnnounced,
    CouponEnded,
    CouponGranted,
    CouponStarted,
    Event,
    LiquidationFinished,
    LiquidationStarted,
    MarginCalled,
    RepayReminded,
    TriggerFailed,
)
from lombard.core.queries import State

Announcing = ChangeAnnounced | AnnouncedChangeMade | AnnouncementWithdrawn


@final
class Notices(Topic):
    """`notices`: all that concern one user."""

    def __init__(self, context: Context, arg: dict[str, str]) -> None:
        super().__init__(context, arg)
        self._untold: Final[list[Notice]] = []

    def hear(self, envelope: Envelope, event: Event) -> None:
        notice = notice_of(self.state, envelope, event)
        if notice is not None:
            self._untold.append(notice)
            self.wake()

    def snapshot(self) -> bytes | None:
        return None

    def changes(self) -> bytes | None:
        if not self._untold:
            return None
        rows = self._untold[:ROWS_MAX]
        del self._untold[:ROWS_MAX]
        if self._untold:
            self.wake()
        return push(SNAPSHOT, self.arg, rows, self.now_ms())


def notice_of(state: State, envelope: Envelope, event: Event) -> Notice | None:
    """Word an event; None for what is no matter of notices."""
    at_ms = envelope.time_ms
    if isinstance(event, MarginCalled):
        return notices.called(state, event.account, envelope.seq, event.ratio_e6, at_ms)
    if isinstance(event, LiquidationStarted):
        liquidation = event.liquidation_id
        return notices.liquidation_started(state, event.account, liquidation, event.ratio_e6, at_ms)
    if isinstance(event, LiquidationFinished):
        liquidation = event.liquidation_id
        return notices.liquidation_finished(
            state, event.account, liquidation, event.ratio_e6, at_ms
        )
    if isinstance(event, TriggerFailed):
        return notices.order_failed(state, event.account, event.trigger_id, event.refusal, at_ms)
    if isinstance(event, RepayReminded):
        return notices.reminded(state, event.account, event.debts, envelope.seq, at_ms)
    if isinstance(event, Announcing):
        return _of_change(event, at_ms)
    if isinstance(event, CouponGranted) and isinstance(envelope.command, ClaimCoupon):
        # Whoever takes an open one knows it.
        return None
    if isinstance(event, CouponGranted | CouponStarted | CouponEnded):
        return _of_coupon(event, at_ms)
    return None


def _of_change(event: Announcing, at_ms: int) -> Notice:
    number = str(event.announcement_id)
    if isinstance(event, AnnouncementWithdrawn):
        name = f"change-{number}-withdrawn"
        return Notice(name, notices.CHANGE_WITHDRAWN, str(at_ms), announcementId=number)
    is_made = isinstance(event, AnnouncedChangeMade)
    return Notice(
        f"change-{number}-{event.kind}-{'made' if is_made else 'announced'}",
        notices.CHANGE_MADE if is_made else notices.CHANGE_ANNOUNCED,
        str(at_ms),
        reason=event.problem if isinstance(event, AnnouncedChangeMade) else "",
        announcementId=number,
        change=event.kind,
        what=event.what,
        effectiveTime=str(event.effective_ms),
    )


def _of_coupon(event: CouponGranted | CouponStarted | CouponEnded, at_ms: int) -> Notice:
    kinds = {
        CouponGranted: notices.COUPON_GRANTED,
        CouponStarted: notices.COUPON_STARTED,
        CouponEnded: notices.COUPON_ENDED,
    }
    kind = kinds[type(event)]
    return Notice(f"{kind}-{event.coupon_id}", kind, str(at_ms), couponId=str(event.coupon_id))
