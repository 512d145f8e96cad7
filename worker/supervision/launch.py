"""Starts a forkserver: an interpreter with our own search path, and no file but its end of a socket."""

import json
import os
import subprocess
import sys
from pathlib import Path

from worker.supervision.environment import initial_environment

# Isolated, it would otherwise look for modules in places that variables and the current folder name. What libraries
# read from the environment as they are imported is set before they are.
_PROGRAM = (
    "import json, os, sys; sys.path[:] = json.loads(sys.argv[1]); os.environ |= json.loads(sys.argv[2]); "
    "from worker.child.main import main; sys.exit(main(int(sys.argv[3]), int(sys.argv[4])))"
)


def launch(descriptor: int, output: int, library_environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """The descriptors are of its end of the socket, and of the pipe for what it prints."""
    search = json.dumps([str(Path(folder).absolute()) for folder in sys.path])
    interpreter = [sys.executable, "-I", "-X", "utf8", "-c", _PROGRAM]
    return subprocess.Popen(
        [*interpreter, search, json.dumps(library_environment), str(descriptor), str(os.getpid())],
        env=initial_environment(os.environ),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(descriptor,),
        start_new_session=True,
        umask=0o077,
    )
