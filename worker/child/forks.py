"""Forks that go on as something else, and never as the process that they were forked from."""

import os
import traceback
from collections.abc import Callable


def fork(run: Callable[[], int]) -> int:
    """The process id of a fork of this process that runs this and ends with the status that it returns.

    This process has one thread, or the fork would not be whole.
    """
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        status = run()
    except BaseException:  # noqa: BLE001 - whatever it is, the fork must not go on as what it was
        traceback.print_exc()
    finally:
        os._exit(status)
