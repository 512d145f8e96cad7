"""Starts a child: a fresh interpreter with our own search path, no environment, no file but its end of a socket."""

import json
import os
import subprocess
import sys
from pathlib import Path

from worker.supervision.surroundings import birth_environment

# Isolated, it would otherwise look for modules in places that variables and the current folder name.
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from worker.child.main import main; "
    "sys.exit(main(int(sys.argv[2]), int(sys.argv[3])))"
)


def launch(descriptor: int, scratch: Path) -> "subprocess.Popen[bytes]":
    """Its output comes out of a pipe. The descriptor is of its end of the socket."""
    search = json.dumps([str(Path(folder).absolute()) for folder in sys.path])
    interpreter = [sys.executable, "-I", "-X", "utf8", "-c", _PROGRAM]
    return subprocess.Popen(
        [*interpreter, search, str(descriptor), str(os.getpid())],
        env=birth_environment(os.environ),
        cwd=scratch,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(descriptor,),
        start_new_session=True,
        umask=0o077,
    )
