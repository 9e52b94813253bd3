"""What can be wrong with a history, each with a sentence a person can act on."""


class HistoryError(Exception):
    """History cannot go on."""


class HistoryRefused(HistoryError):
    """The file is not a history this build can continue; it can be made again from the journal."""


class HistoryGap(HistoryError):
    """Events were handed over out of order: a command is missing."""


class HistoryFailed(HistoryError):
    """An earlier failure is final: nothing is recorded any more until the next start."""


class HistoryUnavailable(HistoryError):
    """The database cannot be reached now; what happened is kept, and written when it can be."""
