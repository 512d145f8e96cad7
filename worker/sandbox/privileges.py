"""Privileges that a process gives up: none can be gained again, and root's are no more than a user's."""

import ctypes
import errno

from worker.sandbox.kernel import call, prctl

_SET_NO_NEW_PRIVS, _DROP_BOUNDING = 38, 24
_CAPABILITIES_VERSION = 0x2008_0522
_MOST_CAPABILITIES = 64


def drop_privileges() -> None:
    """For good: no_new_privs, and no capabilities. Raises OSError."""
    prctl(_SET_NO_NEW_PRIVS, 1)
    for number in range(_MOST_CAPABILITIES):
        try:
            prctl(_DROP_BOUNDING, number)
        except OSError as error:
            # EPERM: there was nothing that could be dropped; EINVAL: the kernel knows no more of them.
            if error.errno not in {errno.EPERM, errno.EINVAL}:
                raise
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    call("capset", ctypes.byref(header), ctypes.byref(none))
