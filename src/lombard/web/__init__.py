"""The HTTP listener: connections of clients, whole requests to an ASGI application, its answers."""

from lombard.web.listener import Listener

__all__ = ["Listener"]
