"""A thread that does one thing again and again until it is stopped."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Periodic:
    """Runs ``step`` every ``interval_seconds``; an error that ``survives`` names costs that turn and is logged.

    The first turn comes at once, or after one interval where ``waits_first``. ``step`` may end the thread by
    returning False.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], object],
        interval_seconds: float,
        survives: tuple[type[Exception], ...],
        *,
        waits_first: bool = False,
    ) -> None:
        self._step = step
        self._interval = interval_seconds
        self._survives = survives
        self._waits_first = waits_first
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_stopped(self) -> bool:
        """For a long step that can end early."""
        return self._stopped.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits ten seconds for a step that is under way, then leaves it to end with the process."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        if self._waits_first and self._stopped.wait(self._interval):
            return
        while self._turn() is not False and not self._stopped.wait(self._interval):
            pass

    def _turn(self) -> object:
        try:
            return self._step()
        except self._survives as error:
            logger.warning("%s waits: %s", self._thread.name, type(error).__name__)
            return None
