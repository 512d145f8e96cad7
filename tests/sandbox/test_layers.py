"""Code that got into a model's process: whatever it tries there is refused by the real sandbox."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.storage.blobs import BlobStore
from tests.sandbox.attackers import attack, settings
from tests.waiting import until
from worker.supervision.endings import ChildDied, End
from worker.supervision.forkserver import Forkserver
from worker.supervision.output import TAIL_BYTES
from worker.supervision.process import ChildProcess

REPOSITORY = Path(__file__).resolve().parents[2]
MEBIBYTE = 1024**2


@pytest.fixture(scope="module")
def forkserver() -> Iterator[Forkserver]:
    forkserver = Forkserver()
    yield forkserver
    forkserver.close()


@pytest.fixture(scope="module")
def child(forkserver: Forkserver) -> Iterator[ChildProcess]:
    """One for all attacks that are answered with an error."""
    child = ChildProcess(settings(), forkserver)
    yield child
    child.kill()
    assert not child.scratch.path.exists()


def test_a_network_that_does_nothing_is_let_through(child: ChildProcess, blobs: BlobStore) -> None:
    assert attack(child, blobs, "nothing") == "done"


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/version", "/proc/1/environ", "/dev/kmsg", "README.md"])
def test_files_cannot_be_read(child: ChildProcess, blobs: BlobStore, path: str) -> None:
    assert "Errno 13" in attack(child, blobs, "read", str(REPOSITORY / path))


def test_neither_secrets_nor_other_blobs_can_be_read(child: ChildProcess, blobs: BlobStore, outside: Path) -> None:
    with blobs.writer(10) as writer:
        writer.write(b"another")
        writer.commit()
    (stored,) = (path for path in blob_files(blobs) if path.read_bytes() == b"another")
    for path in (stored, outside):
        assert "Errno 13" in attack(child, blobs, "read", str(path))
    for folder in ("/", str(outside.parent), str(Path.home()), str(REPOSITORY)):
        assert "Errno 13" in attack(child, blobs, "list", folder)


def blob_files(blobs: BlobStore) -> Iterator[Path]:
    assert blobs._folder is not None
    return (path for path in blobs._folder.rglob("*") if path.is_file())


def test_nothing_can_be_written(child: ChildProcess, blobs: BlobStore, outside: Path) -> None:
    places = [outside, outside.parent / "new", Path("/tmp/salience-audit-canary"), REPOSITORY / "app" / "canary.py"]
    for path in places:
        assert "Errno 13" in attack(child, blobs, "write", str(path))
    assert outside.read_text() == "secret"
    assert not any(path.exists() for path in places[1:])


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        *((name, "Errno 13") for name in ("environ_of_parent", "environ_of_itself", "memory_of_parent")),
        *((name, "Errno 1]") for name in ("write_and_unlink", "make_folder", "symlink", "hard_link", "chmod")),
        *((name, "Errno 1]") for name in ("unnamed_file", "change_folder")),
        *((name, "Errno 1]") for name in ("socket", "unix_socket", "packet_socket", "socketpair", "connect")),
        ("resolve", "gaierror"),
        *((name, "Errno 1]") for name in ("exec", "subprocess", "shell", "fork", "fork_bomb", "clone_process")),
        *((name, "Errno 1]") for name in ("kill_parent", "kill_everybody", "raise_limit", "outlive_parent")),
        *((name, "Errno 1]") for name in ("become_root", "nice", "signal_by_file")),
        ("io_uring", "Errno 38"),
        ("inherited", "none"),
        ("secrets", "none"),
    ],
)
def test_refused(child: ChildProcess, blobs: BlobStore, name: str, refused: str) -> None:
    found = attack(child, blobs, name)
    assert refused in found
    assert child.alive


@pytest.mark.parametrize("name", ["ptrace", "read_parent", "mount", "unshare", "bpf"])
def test_what_only_an_attack_calls_ends_the_process(forkserver: Forkserver, blobs: BlobStore, name: str) -> None:
    with fresh_child(forkserver) as child, pytest.raises(ChildDied, match="forbidden system call") as died:
        attack(child, blobs, name)
    assert died.value.end is End.CRASHED


@contextmanager
def fresh_child(forkserver: Forkserver, **limits: object) -> Iterator[ChildProcess]:
    child = ChildProcess(settings(**limits), forkserver)
    yield child
    child.kill()
    assert not child.scratch.path.exists()


@pytest.mark.parametrize(
    ("name", "limits", "end"),
    [
        ("allocate", {}, End.TOO_MUCH_MEMORY),
        ("long_files", {"child_scratch_bytes": 64 * MEBIBYTE}, End.TOO_MUCH_SPACE),
        ("many_files", {}, End.TOO_MUCH_SPACE),
        ("sleep", {"child_batch_seconds": 1.0}, End.TOO_SLOW),
        ("segfault", {}, End.CRASHED),
    ],
)
def test_what_takes_too_much_is_ended(
    forkserver: Forkserver, blobs: BlobStore, name: str, limits: dict[str, object], end: End
) -> None:
    with fresh_child(forkserver, **limits) as child, pytest.raises(ChildDied) as died:
        attack(child, blobs, name)
    assert died.value.end is end


def test_what_goes_no_further(forkserver: Forkserver, blobs: BlobStore) -> None:
    """A long file, and threads without end."""
    with fresh_child(forkserver) as child:
        assert "Errno 27" in attack(child, blobs, "long_file")
        assert (child.scratch.path / "long").stat().st_size == 256 * MEBIBYTE
    with fresh_child(forkserver, child_memory_bytes=1024 * MEBIBYTE) as child:
        assert "can't start new thread" in attack(child, blobs, "threads")


def test_prints_go_nowhere(child: ChildProcess, blobs: BlobStore) -> None:
    """128 MiB of them: the child ends well, the disk keeps nothing, its parent the last words."""
    assert attack(child, blobs, "print") == "done"
    assert sum(path.stat().st_size for path in child.scratch.path.rglob("*")) < MEBIBYTE
    outputs = {str(Path(f"/proc/{child.pid}/fd/{number}").readlink()).partition(":")[0] for number in (1, 2)}
    assert outputs == {"pipe"}
    assert len(child.last_words()) <= TAIL_BYTES


def test_limits_of_the_kernel(child: ChildProcess, blobs: BlobStore) -> None:
    assert attack(child, blobs, "nothing") == "done"
    lines = Path(f"/proc/{child.pid}/limits").read_text().splitlines()
    found = {line[:26].strip(): line[26:].split()[:2] for line in lines}
    assert found["Max core file size"] == ["0", "0"]
    assert found["Max file size"] == [str(256 * MEBIBYTE)] * 2
    for name in ("Max address space", "Max data size", "Max open files", "Max processes"):
        assert found[name][0] == found[name][1] != "unlimited", name
    assert found["Max cpu time"][0] != "unlimited"
    status = Path(f"/proc/{child.pid}/status").read_text()
    for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000"):
        assert line in status
    # Nobody but root can lower what could be gained, which no_new_privs keeps from being gained.
    assert os.geteuid() or "CapBnd:\t0000000000000000" in status
    assert not Path(f"/proc/{child.pid}/environ").read_bytes()


def test_between_jobs_the_child_stands_still(child: ChildProcess, blobs: BlobStore) -> None:
    """A thread that a model left behind does nothing until the next job."""
    assert attack(child, blobs, "nothing") == "done"
    until(lambda: "T (stopped)" in Path(f"/proc/{child.pid}/status").read_text())
