"""The WebSocket: what happens is told to whoever asked to be told, and orders may be sent back.

A listener of its own beside the HTTP server, because that one can neither drop a client who does
not read nor bound what one may send (docs/decisions/0022-a-listener-for-the-websocket.md). A
*topic* is what one subscription is about; a frame is made once for a topic, and its bytes are sent
to all who subscribe. Nothing here decides anything, and nothing here is waited for by the node.
"""
