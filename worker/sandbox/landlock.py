"""Landlock: which files a process can reach, whoever runs it; no ports; no signals to others."""

import ctypes
import os
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path

from worker.sandbox.kernel import call

_ASK_VERSION = 1
_BENEATH = 1
_BIND_TCP, _CONNECT_TCP = 1, 2
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2


class Access(IntFlag):
    """What can be done with files; the kernel's bits."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    MAKE_REG = 1 << 8
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Access.READ_FILE | Access.READ_DIR
# Nothing can be removed or moved, so that whoever counts the files and their sizes sees them all.
SCRATCH = READ | Access.WRITE_FILE | Access.TRUNCATE | Access.MAKE_REG
DEVICE = Access.READ_FILE | Access.WRITE_FILE | Access.IOCTL_DEV
_OF_FILES = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.IOCTL_DEV
# The newest bit that each version of the interface knows; everything known is handled, so refused unless allowed.
_FILE_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Of the kernel's interface; 0 where it has none, or it is switched off."""
    try:
        return call("landlock_create_ruleset", 0, 0, _ASK_VERSION)
    except OSError:
        return 0


def lock_files(rules: Iterable[tuple[Path, Access]]) -> None:
    """For good, for this thread and those that it starts: nothing but what the rules allow.

    Needs no_new_privs. A path that does not exist needs no rule. Raises OSError.
    """
    found = version()
    handled = (1 << _FILE_BITS[min(found, max(_FILE_BITS))]) - 1 if found else 0
    network = _BIND_TCP | _CONNECT_TCP if found >= 4 else 0
    scoped = _ABSTRACT_SOCKETS | _SIGNALS if found >= 6 else 0
    attributes = _Ruleset(handled, network, scoped)
    size = 24 if found >= 6 else 16 if found >= 4 else 8
    ruleset = call("landlock_create_ruleset", ctypes.byref(attributes), size, 0)
    try:
        for path, access in rules:
            _allow(ruleset, path, access & handled)
        call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        whole = access if path.is_dir() else access & _OF_FILES
        call("landlock_add_rule", ruleset, _BENEATH, ctypes.byref(_Beneath(whole, parent)), 0)
    finally:
        os.close(parent)
