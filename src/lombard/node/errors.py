"""How a node says no: for a moment, for good, or before it has begun."""


class Overloaded(Exception):
    """The queue is full; nothing was done and nothing was written. Try again in a moment."""


class Stopped(Exception):
    """The node takes no more commands; the message says why.

    A command that was waiting when its node stopped may or may not be in the log: its sender finds
    out by asking again under the same client id.
    """


class CannotStart(Exception):
    """A node refuses to start; the message is a sentence a person can act on."""
