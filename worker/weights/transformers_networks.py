"""Networks of Hugging Face's transformers, built from the fields of a ``config.json``: no weights, code or network.

The library is imported by whoever builds one, and by nobody else: it costs seconds and memory.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

from torch import Tensor, nn

from app.domain.models.transformers_classes import MODEL_TYPES
from app.domain.refusals.architectures import CONFIG_INVALID
from worker.weights.options import ITS_ERRORS, Options

_LARGEST, _LONGEST, _LONGEST_WORD = 16_384, 64, 40


class _Logits:
    """Before the library's class: tensors and layers keep the names that they have there."""

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, C): the ``logits`` of what the library returns."""
        output: Tensor = super().forward(pixel_values).logits  # type: ignore[misc]
        return output


def names() -> frozenset[str]:
    """The classes that can be built; none where the library is not installed."""
    return frozenset(MODEL_TYPES) if find_spec("transformers") else frozenset()


def from_config(name: str, options: Options) -> Callable[..., nn.Module]:
    """Makes the network for a number of classes, with random weights.

    Fields that the library's class does not read are left out (``read_options``). Raises InputFailure
    ``architecture-options-invalid`` naming the field, before anything is built.
    """
    read = read_options(name, options)
    for field, value in read.items():
        if not _is_plain(value):
            what = f"true, false, null, a number up to {_LARGEST}, a word or a short list of these"
            raise CONFIG_INVALID.failure(name=name, what=f"{field} is not {what}")
    return lambda classes: _built(name, read, classes)


def read_options(name: str, options: Options) -> dict[str, Any]:
    """Those that the class reads: what a network is made of, not how it is trained, saved or made to answer."""
    own = _own_fields(MODEL_TYPES[name])
    return {field: value for field, value in options.items() if field in own}


def saved_names(network: nn.Module) -> dict[str, str]:
    """By a tensor's name in the network, its name in the files that the library writes and reads.

    Those of before its fifth version, which renamed many modules and left the files as they were.
    """
    from transformers import PreTrainedModel  # noqa: PLC0415 - an extra
    from transformers.core_model_loading import revert_weight_conversion  # noqa: PLC0415

    if not isinstance(network, PreTrainedModel):
        return {}
    state = dict(network.state_dict())
    own = {id(tensor): name for name, tensor in state.items()}
    reverted: Mapping[str, Tensor] = revert_weight_conversion(network, state)
    return {own[id(tensor)]: name for name, tensor in reverted.items() if id(tensor) in own}


def _built(name: str, options: Options, classes: int) -> nn.Module:
    from huggingface_hub.errors import StrictDataclassError  # noqa: PLC0415 - an extra
    from transformers import AutoConfig  # noqa: PLC0415
    from transformers.initialization import no_init_weights  # noqa: PLC0415

    try:
        with no_init_weights():
            config = AutoConfig.for_model(MODEL_TYPES[name], **options, num_labels=classes)
            network: nn.Module = _class_named(name)(config)
    except (*ITS_ERRORS, StrictDataclassError) as error:
        words = " ".join(str(error).split())
        raise CONFIG_INVALID.failure(name=name, what=f"the library refuses it: {words}") from error
    return network


@cache
def _class_named(name: str) -> type[nn.Module]:
    import transformers  # noqa: PLC0415 - an extra

    return type(name, (_Logits, getattr(transformers, name)), {})


@cache
def _own_fields(kind: str) -> frozenset[str]:
    from transformers import AutoConfig, PreTrainedConfig  # noqa: PLC0415 - an extra

    return frozenset(AutoConfig.for_model(kind).to_dict()) - frozenset(PreTrainedConfig().to_dict())


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= _LONGEST and all(not isinstance(one, list) and _is_plain(one) for one in value)
    if isinstance(value, str):
        return len(value) <= _LONGEST_WORD
    return value is None or (isinstance(value, bool | int | float) and abs(value) <= _LARGEST)
