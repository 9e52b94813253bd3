"""Exactly once: a client id used again is answered as the first time (RULES 10).

The same account, kind of command, client id and content returns the first reply for a day of
exchange time; other content is refused. Refusals are not remembered. The memory is part of the
state, so it survives restarts, and is bounded per account: the oldest are forgotten first.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.commands import (
    Borrow,
    ClosePosition,
    Command,
    PlaceOco,
    PlaceOrder,
    PlaceTrigger,
    PlaceWithExits,
    Repay,
    ReplaceOrder,
    Transfer,
)
from lombard.core.refusals import Refusal
from lombard.core.state import Account, Remembered, Reply, State


@final
class Content:
    """What a command with a client id asks for: `key` is kind and id, `text` everything else."""

    __slots__ = ("client_oid", "key", "text")

    def __init__(self, kind: str, client_oid: str, text: str) -> None:
        self.client_oid: Final = client_oid
        self.key: Final = kind + client_oid
        self.text: Final = text


def client_oid_of(cmd: Command) -> str:
    """Return the client id a command is to be remembered by, empty when it has none."""
    if isinstance(cmd, (PlaceOrder, Borrow, Repay, Transfer, ClosePosition)):
        return cmd.client_oid
    if isinstance(cmd, (PlaceTrigger, PlaceWithExits, PlaceOco)):
        return cmd.client_oid
    return cmd.new_client_oid if isinstance(cmd, ReplaceOrder) else ""


def content_of(cmd: Command) -> Content:
    """Return a command's client id and the content it stands for."""
    if isinstance(cmd, PlaceOrder):
        text = f"{cmd.pair} {cmd.side} {cmd.kind} {cmd.force} {cmd.loan_type} {cmd.stp}"
        text += f" {cmd.price_ticks} {cmd.size_steps} {cmd.quote_units}"
        return Content("o/", cmd.client_oid, text)
    if isinstance(cmd, ReplaceOrder):
        text = f"{cmd.pair} {cmd.order_id} {cmd.client_oid} {cmd.price_ticks} {cmd.size_steps}"
        return Content("o/", cmd.new_client_oid, text)
    if isinstance(cmd, ClosePosition):
        return Content("o/", cmd.client_oid, f"close {cmd.pair} {cmd.repay}")
    if isinstance(cmd, Borrow):
        return Content("b/", cmd.client_oid, f"{cmd.coin} {cmd.units}")
    if isinstance(cmd, Repay):
        return Content("r/", cmd.client_oid, f"{cmd.coin} {cmd.units}")
    if isinstance(cmd, Transfer):
        return Content("t/", cmd.client_oid, f"{cmd.to_account} {cmd.coin} {cmd.units}")
    return _content_of_triggers(cmd)


def _content_of_triggers(cmd: Command) -> Content:
    if isinstance(cmd, PlaceTrigger):
        text = f"{cmd.pair} {cmd.plan} {cmd.price_source} {cmd.trigger_ticks} {cmd.callback_e6}"
        text += f" {cmd.side} {cmd.kind} {cmd.force} {cmd.loan_type} {cmd.stp}"
        text += f" {cmd.price_ticks} {cmd.size_steps} {cmd.quote_units}"
        return Content("p/", cmd.client_oid, text)
    # What these place is an order, and its id an order's.
    if isinstance(cmd, PlaceWithExits):
        text = f"{cmd.pair} {cmd.side} {cmd.kind} {cmd.force} {cmd.loan_type} {cmd.stp}"
        text += f" {cmd.price_ticks} {cmd.size_steps} {cmd.quote_units} exits {cmd.price_source}"
        text += f" {cmd.take_profit_ticks} {cmd.take_profit_price_ticks}"
        text += f" {cmd.stop_loss_ticks} {cmd.stop_loss_price_ticks}"
        return Content("o/", cmd.client_oid, text)
    if isinstance(cmd, PlaceOco):
        text = f"{cmd.pair} {cmd.side} {cmd.loan_type} {cmd.stp} {cmd.price_ticks} {cmd.size_steps}"
        text += f" oco {cmd.price_source} {cmd.trigger_ticks} {cmd.stop_price_ticks}"
        return Content("o/", cmd.client_oid, text)
    return Content("", "", "")


def recall(state: State, account: Account, content: Content) -> Reply | None:
    """Return the first reply to a client id, a refusal when the content differs, or None."""
    first = account.client_oids.get(content.key)
    if first is None or first.time_ms + state.parameters["client_oid_ttl_ms"] <= state.time_ms:
        return None
    if first.content != content.text:
        return Reply(Refusal.CLIENT_OID_REUSED, first.id, detail=content.client_oid)
    return Reply(None, first.id, first.units, first.remaining)


def remember(state: State, account: Account, content: Content, reply: Reply) -> None:
    """Remember a reply, and forget what is too old or too much."""
    memory = account.client_oids
    memory.pop(content.key, None)
    most = state.parameters["client_oids_max"]
    oldest_ms = state.time_ms - state.parameters["client_oid_ttl_ms"]
    while memory:
        key = next(iter(memory))
        if len(memory) < most and memory[key].time_ms > oldest_ms:
            break
        del memory[key]
    memory[content.key] = Remembered(
        state.time_ms, content.text, reply.id, reply.units, reply.remaining
    )
