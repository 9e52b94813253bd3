"""A law that was broken: its name, and what was expected."""


class Broken(AssertionError):
    """A law does not hold. The message begins with its name."""

    def __init__(self, law: str, detail: str = "") -> None:
        super().__init__(f"{law}{': ' if detail else ''}{detail}")
        self.law = law


def hold(law: str, expected: object, actual: object) -> None:
    """Raise `Broken` unless what is there is what was expected."""
    if expected != actual:
        raise Broken(law, f"expected {expected}, not {actual}")
