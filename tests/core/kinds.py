"""Kinds of traffic that a test leaves out, because it has nothing to say of them."""

from typing import Final

# What comes beside a command, triggers and announced changes, has laws of its own
# (`test_trigger_machine`, `test_announcements`, and the simulator).
BESIDE: Final = ("trigger", "fire", "announce")


def without(weights: dict[str, int], *kinds: str) -> dict[str, int]:
    """Return weights of the kinds of commands in which some kinds never come."""
    return {**weights, **dict.fromkeys(kinds, 0)}
