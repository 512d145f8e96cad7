"""What the child logs goes to its parent, which writes the lines: a model could print, but not forge one."""

import logging

from worker.wire.channel import Channel, ChannelClosed
from worker.wire.replies import LONGEST_LINE, Logged

_LONGEST_NAME = 200


class ChannelHandler(logging.Handler):
    """The parent adds the time and whose work it is."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        line = Logged(
            logger=record.name[:_LONGEST_NAME],
            level=min(max(record.levelno, logging.NOTSET), logging.CRITICAL),
            message=self.format(record)[:LONGEST_LINE],
        )
        try:
            self._channel.send(line)
        except ChannelClosed:
            return


def log_to(channel: Channel, level: str) -> None:
    """All logging of this process, from now on."""
    root = logging.getLogger()
    root.handlers = [ChannelHandler(channel)]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
