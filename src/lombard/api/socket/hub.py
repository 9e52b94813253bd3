"""The hub: hears what every command did, and lets the topics that care push it.

It listens to the node on the path of the orders, so it does little there: a look whether anybody
cares, a note in the topic. Frames are made when the loop turns, once for each topic, whoever many
subscribe. A topic exists while somebody subscribes to it.
"""

import asyncio
from typing import Final, final

import structlog

from lombard.api.context import Context
from lombard.api.ports import Reply
from lombard.api.socket.channels import Channel
from lombard.api.socket.topic import Listener, Topic
from lombard.core import queries
from lombard.core.commands import Envelope, user_of
from lombard.core.events import (
    AnnouncedChangeMade,
    AnnouncementWithdrawn,
    ChangeAnnounced,
    CouponGranted,
    Event,
    HourTurned,
    IndexPricesSet,
    OrderClosed,
    OrderPlaced,
    Traded,
    Transferred,
)

# Channel, what of it, and whose: 0 for what is public.
Key = tuple[Channel, str, int]
_TOLD_EVERYBODY: Final = (
    HourTurned,
    ChangeAnnounced,
    AnnouncedChangeMade,
    AnnouncementWithdrawn,
)
_LOG: Final = structlog.get_logger("lombard.socket")


@final
class Hub:
    """Every topic that somebody subscribes to."""

    def __init__(self, context: Context) -> None:
        self.context: Final = context
        self._topics: dict[Key, Topic] = {}
        self._of_pair: dict[int, list[Topic]] = {}
        self._of_user: dict[int, list[Topic]] = {}
        self._of_index: list[Topic] = []
        # When each may push next, by the loop's clock, and those for which that is arranged.
        self._next_s: dict[Topic, float] = {}
        self._due: dict[Topic, asyncio.Handle | None] = {}
        self._polls: dict[Topic, asyncio.Task[None]] = {}
        self.broken = False

    def heard(self, envelope: Envelope, _reply: Reply, events: list[Event]) -> None:
        """Take note of what a command did (`Node.listen`)."""
        if not self._topics:
            return
        try:
            for event in events:
                self._hear(envelope, event)
        except Exception:
            # What is wrong with a push is no reason to stop a venue: the sockets are closed.
            _LOG.exception("a topic has failed")
            self.broken = True

    async def subscribe(self, key: Key, listener: Listener) -> None:
        """Add a subscriber, and send it what the topic begins with."""
        topic = self._topic(key)
        topic.waiting += 1
        try:
            await topic.prepare()
            # From here nothing waits: what others are told now is what the new one begins with.
            while self._push(topic):
                pass
            first = topic.snapshot()
            topic.subscribers[listener] = None
            if first is not None:
                listener.send(first)
        finally:
            topic.waiting -= 1
            self._drop_unused(key, topic)

    def unsubscribe(self, key: Key, listener: Listener) -> None:
        """Take a subscriber away; no more is sent to it from here on."""
        topic = self._topics.get(key)
        if topic is not None:
            topic.subscribers.pop(listener, None)
            self._drop_unused(key, topic)

    def stroke(self) -> None:
        """Let topics know that time passes."""
        for topic in self._topics.values():
            topic.stroke()

    def close(self) -> None:
        """Forget every topic."""
        for handle in self._due.values():
            if handle is not None:
                handle.cancel()
        for poll in self._polls.values():
            poll.cancel()
        self._topics.clear()
        self._of_pair.clear()
        self._of_user.clear()
        self._of_index.clear()
        self._due.clear()

    def __len__(self) -> int:
        """Count the topics."""
        return len(self._topics)

    def _hear(self, envelope: Envelope, event: Event) -> None:
        if isinstance(event, Traded):
            for topic in self._of_pair.get(event.pair, ()):
                topic.hear(envelope, event)
            taker, maker = user_of(event.taker_account), user_of(event.maker_account)
            for topic in self._of_user.get(taker, ()):
                topic.hear(envelope, event)
            if maker != taker:
                for topic in self._of_user.get(maker, ()):
                    topic.hear(envelope, event)
            return
        if isinstance(event, OrderPlaced | OrderClosed):
            for topic in self._of_pair.get(event.pair, ()):
                topic.hear(envelope, event)
        elif isinstance(event, IndexPricesSet):
            for topic in self._of_index:
                topic.hear(envelope, event)
            return
        elif isinstance(event, _TOLD_EVERYBODY):
            for topics in self._of_user.values():
                for topic in topics:
                    topic.hear(envelope, event)
            return
        if self._of_user:
            for user in users_in(event):
                for topic in self._of_user.get(user, ()):
                    topic.hear(envelope, event)

    def _topic(self, key: Key) -> Topic:
        topic = self._topics.get(key)
        if topic is None:
            channel, inst_id, user = key
            topic = channel.make(self.context, inst_id, user)
            topic.wake = lambda: self._wake(topic)
            self._topics[key] = topic
            self._places(key).append(topic)
        return topic

    def _places(self, key: Key) -> list[Topic]:
        channel, inst_id, user = key
        if user:
            return self._of_user.setdefault(user, [])
        if channel.of_index:
            return self._of_index
        pair = queries.pair_named(self.context.node.state, inst_id)
        assert pair is not None
        return self._of_pair.setdefault(pair, [])

    def _drop_unused(self, key: Key, topic: Topic) -> None:
        if topic.subscribers or topic.waiting or self._topics.get(key) is not topic:
            return
        del self._topics[key]
        places = self._places(key)
        places.remove(topic)
        if not places and key[2]:
            del self._of_user[key[2]]
        self._next_s.pop(topic, None)
        handle = self._due.pop(topic, None)
        if handle is not None:
            handle.cancel()

    def _wake(self, topic: Topic) -> None:
        """Arrange that a topic pushes as soon as it may."""
        if topic in self._due:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._next_s.get(topic, 0.0) - loop.time()
        if wait_s > 0:
            self._due[topic] = loop.call_later(wait_s, self._fall_due, topic)
        else:
            self._due[topic] = loop.call_soon(self._fall_due, topic)

    def _fall_due(self, topic: Topic) -> None:
        if topic in self._polls:
            # Its last look at history is not over: once more when it is.
            self._due[topic] = None
            return
        del self._due[topic]
        if topic.polled:
            self._polls[topic] = asyncio.create_task(self._poll(topic))
        else:
            self._push(topic)

    async def _poll(self, topic: Topic) -> None:
        try:
            await topic.prepare()
            self._push(topic)
        except Exception:
            # History may be closing; the next event tries again.
            _LOG.warning("a topic could not be read", arg=topic.arg, exc_info=True)
        finally:
            self._polls.pop(topic, None)
            if topic in self._due and self._due[topic] is None:
                del self._due[topic]
                self._wake(topic)

    def _push(self, topic: Topic) -> bool:
        """Tell all who subscribe what has changed; False when nothing has."""
        try:
            frame = topic.changes()
        except Exception:
            _LOG.exception("a topic has failed", arg=topic.arg)
            self.broken = True
            return False
        self._next_s[topic] = asyncio.get_running_loop().time() + topic.interval_s
        if frame is None:
            return False
        for listener in list(topic.subscribers):
            listener.send(frame)
        return True


def users_in(event: Event) -> list[int]:
    """List the users whose accounts an event is about."""
    if isinstance(event, Transferred):
        source, target = user_of(event.from_account), user_of(event.to_account)
        return [source] if source == target else [source, target]
    if isinstance(event, CouponGranted):
        return [event.user]
    account = getattr(event, "account", None)
    return [] if account is None else [user_of(account)]
