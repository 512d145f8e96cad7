"""A stand-in for a CUDA device on a machine without one: tensors that say they are on it and are computed here.

Every operation really runs, so that the numbers are real ones; what a device would have to launch, and whatever would
keep the host waiting for it, is counted. It shows which calls are made, not how long they take.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

_setup_privateuseone_for_python_backend("standin")
DEVICE = torch.device("standin", 0)
_HOST = torch.device("cpu")
_TO_COPY, _COPY = torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default  # noqa: SLF001 - its only name
_WAITS = {
    torch.ops.aten._local_scalar_dense.default,  # noqa: SLF001
    torch.ops.aten.nonzero.default,
    torch.ops.aten.equal.default,
}
_PIN, _IS_PINNED = torch.ops.aten._pin_memory.default, torch.ops.aten.is_pinned.default  # noqa: SLF001


class OnDevice(Tensor):
    """``here`` holds its numbers."""

    here: Tensor

    @staticmethod
    def of(here: Tensor) -> "OnDevice":
        shape: dict[str, Any] = {"strides": here.stride(), "storage_offset": here.storage_offset()}
        make = Tensor._make_wrapper_subclass  # noqa: SLF001
        made: OnDevice = make(OnDevice, here.size(), **shape, dtype=here.dtype, device=DEVICE)
        made.here = here
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]  # noqa: SLF001

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        raise AssertionError(f"{func} is called where nothing counts")


class Counts(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """``launches`` of kernels and copies by operation, ``waits`` of the host for the device by what it waited for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.launches: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self._pinned: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is _IS_PINNED:
            return args[0].data_ptr() in self._pinned
        if func is _PIN:
            pinned = args[0].clone()
            self._pinned.add(pinned.data_ptr())
            return pinned
        comes = any(isinstance(one, OnDevice) for one in tree_leaves((args, kwargs)))
        wanted = kwargs.get("device")
        goes = comes if wanted is None else torch.device(wanted).type == DEVICE.type
        if comes or goes:
            self._count(func, args, kwargs)
        here, options = tree_map(lambda one: one.here if isinstance(one, OnDevice) else one, (args, kwargs))
        found = func(*here, **options | ({} if wanted is None else {"device": _HOST}))
        if func is _COPY or not goes:
            return args[0] if func is _COPY else found
        if func._schema.is_mutable and isinstance(args[0], OnDevice):  # noqa: SLF001
            return args[0]
        return tree_map(lambda one: OnDevice.of(one) if isinstance(one, Tensor) else one, found)

    def _count(self, func: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if func in _WAITS or (func in {_TO_COPY, _COPY} and _crosses(args, kwargs) and not self._flies(args, kwargs)):
            self.waits[str(func)] += 1
        if not _is_view(func):
            self.launches[str(func)] += 1

    def _flies(self, args: Any, kwargs: dict[str, Any]) -> bool:
        """A copy that nobody waits for: to the host, or from pinned memory."""
        source = args[-1]
        pinned = isinstance(source, OnDevice) or source.data_ptr() in self._pinned
        return bool(kwargs.get("non_blocking")) and pinned


class _Event:
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def synchronize(self) -> None:
        self._counts.waits["event"] += 1


class _Stream:
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def record_event(self) -> _Event:
        return _Event(self._counts)


@contextmanager
def stand_in() -> Iterator[Counts]:
    """The device, and what is asked of it, for as long as the block runs."""
    with (
        # A module's parameters become ones of ours; to write into them would leave their type.
        patch.object(torch.__future__, "get_overwrite_module_params_on_conversion", lambda: True),
        Counts() as counts,
        patch.object(torch.cuda, "current_stream", lambda _device=None: _Stream(counts)),
    ):
        yield counts


def counted(work: Callable[[], object], counts: Counts) -> tuple[int, int]:
    """Launches and waits of one call."""
    before = counts.launches.total(), counts.waits.total()
    work()
    return counts.launches.total() - before[0], counts.waits.total() - before[1]


def _crosses(args: Any, kwargs: dict[str, Any]) -> bool:
    """Whether a copy goes from the host to the device or back: of one tensor, or of the second into the first."""
    wanted = kwargs.get("device")
    to_device = isinstance(args[0], OnDevice) if wanted is None else torch.device(wanted).type == DEVICE.type
    return to_device is not isinstance(args[-1], OnDevice)


def _is_view(func: Any) -> bool:
    """Whether it only looks at the same memory in another way, or fills none."""
    returns = func._schema.returns  # noqa: SLF001
    looks = bool(returns) and all(one.alias_info is not None and not one.alias_info.is_write for one in returns)
    return looks or func in {torch.ops.aten.detach.default, torch.ops.aten.empty.memory_format}
