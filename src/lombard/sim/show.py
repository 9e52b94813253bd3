"""Commands, events and replies as text, on either build of the core."""

import types

_MEMBERS = (types.GetSetDescriptorType, types.MemberDescriptorType)


def show(thing: object) -> str:
    """Write a command, an event or a reply out."""
    names = getattr(thing, "__dict__", None) or [
        name for name, value in vars(type(thing)).items() if isinstance(value, _MEMBERS)
    ]
    shown = [f"{name}={getattr(thing, name)!r}" for name in sorted(names) if name[0] != "_"]
    return f"{type(thing).__name__}({', '.join(shown)})"
