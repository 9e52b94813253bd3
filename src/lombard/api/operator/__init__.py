"""The operators' part of the wire: the venue's terms, its money, its users, and what is owed.

It is served on a port of its own, and nowhere else. Every call is signed by an operator's key.
"""
