"""Networks by name, from torchvision, timm or transformers; weights come only from the upload."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from app.domain.models.heads import Head
from app.domain.refusals.architectures import NO_CLASSIFIER
from app.domain.refusals.networks import CLASSIFIER_MISSING
from worker.weights import transformers_networks
from worker.weights.architecture_names import TORCHVISION, TRANSFORMERS, candidates
from worker.weights.channels import with_channels
from worker.weights.head_layers import with_head
from worker.weights.held_against import check_weights
from worker.weights.options import Options, with_options
from worker.weights.outline import COUNTER, Outline
from worker.weights.without_memory import WithoutMemory

StateDict = dict[str, Tensor]
Maker = Callable[..., nn.Module]

_TRIAL_CLASSES = (7, 11)
_WITH_AUXILIARY = frozenset({"googlenet", "inception_v3"})
_AUXILIARY = ("aux", "AuxLogits")


def build(
    architecture: str,
    state_dict: StateDict,
    options: Options = MappingProxyType({}),
    head: Head | None = None,
) -> nn.Module:
    """The network in eval mode, float32, with exactly these weights and as many classes as they have.

    With a ``head``, its layers stand in their place, as wide as the weights.

    Raises InputFailure: ``model-architecture-unknown``, ``architecture-options-invalid``, or
    ``model-architecture-mismatch`` naming the first tensor that is missing, unexpected, or of another shape or type.
    """
    weights = dict(state_dict)
    make, classes = _sized(architecture, weights, options, head)
    with WithoutMemory():
        module = make(classes)
    expected = module.state_dict()
    # Files from before PyTorch 0.4.1 lack these counters, torchvision's among them; eval mode never reads them.
    weights |= {name: torch.tensor(0) for name in expected if name.endswith(COUNTER) and name not in weights}
    check_weights(architecture, module, weights)
    if any(tensor.is_meta and name not in expected for name, tensor in module.named_buffers()):
        module = make(classes)
    for name, tensor in expected.items():
        # Filled in place: this mapping carries the versions that some architectures (MNASNet) ask for.
        expected[name] = _as_expected(weights[name], tensor)
    module.load_state_dict(expected, assign=True)
    return module.eval()


def build_untrained(
    architecture: str, state_dict: StateDict, options: Options, head: Head | None, seed: int
) -> nn.Module:
    """The same network in eval mode, float32, with the weights that its library begins a training with, drawn by
    ``seed``; of the given ones only the shapes count. Raises InputFailure as `build` does."""
    make, classes = _sized(architecture, dict(state_dict), options, head)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(classes).eval()


def _sized(architecture: str, weights: StateDict, options: Options, head: Head | None) -> tuple[Maker, int]:
    """What makes the network, and for how many classes."""
    with WithoutMemory():
        make = _maker(architecture, weights, options)
    make = with_channels(make, weights)
    if head is not None:
        return partial(_headed, make, head, weights), _TRIAL_CLASSES[0]
    return make, _class_count(make, weights)


def _headed(make: Maker, head: Head, weights: StateDict, classes: int) -> nn.Module:
    return with_head(make(classes), head, weights)


def outline_of(architecture: str, options: Options = MappingProxyType({})) -> Outline:
    """What the network asks of its weights.

    Raises InputFailure ``model-architecture-unknown`` or ``architecture-options-invalid``.
    """
    with WithoutMemory():
        make = _maker(architecture, {}, options)
        network, other = (make(n) for n in _TRIAL_CLASSES)
    few, many = ({name: tuple(tensor.shape) for name, tensor in one.state_dict().items()} for one in (network, other))
    classifier = frozenset(name for name, shape in few.items() if shape != many[name])
    if not classifier:
        raise NO_CLASSIFIER.failure(architecture=architecture)
    children = tuple(dict(network.named_children()))
    library, _, name = candidates(architecture)[0].partition("/")
    auxiliary = _AUXILIARY if library == TORCHVISION and name in _WITH_AUXILIARY else ()
    saved = transformers_networks.saved_names(network) if library == TRANSFORMERS else {}
    return Outline(architecture, few, classifier, children, auxiliary, saved)


def _maker(architecture: str, state_dict: Mapping[str, Tensor], options: Options) -> Maker:
    library, _, name = candidates(architecture)[0].partition("/")
    if library == TRANSFORMERS:
        return transformers_networks.from_config(name, options)
    make = _torchvision_maker(name, state_dict) if library == TORCHVISION else _timm_maker(name)
    return with_options(make, architecture, options)


def options_read(architecture: str, options: Options) -> Options:
    """Without fields of a transformers config that say nothing of the network."""
    library, _, name = candidates(architecture)[0].partition("/")
    return transformers_networks.read_options(name, options) if library == TRANSFORMERS else options


def _timm_maker(name: str) -> Maker:
    import timm  # noqa: PLC0415 - an extra

    return lambda classes, **more: timm.create_model(name, pretrained=False, num_classes=classes, **more)


def _torchvision_maker(name: str, state_dict: Mapping[str, Tensor]) -> Maker:
    make = torchvision.models.get_model_builder(name)
    options: dict[str, Any] = {"weights": None}
    # Their published weights have auxiliary heads, which eval mode never runs.
    if name in _WITH_AUXILIARY:
        auxiliary = any(key.startswith(_AUXILIARY) for key in state_dict)
        options |= {"init_weights": False, "aux_logits": auxiliary}
    return lambda classes, **more: make(num_classes=classes, **options | more)


def _class_count(make: Maker, state_dict: StateDict) -> int:
    """Read off the first tensor whose shape depends on the number of classes."""
    with WithoutMemory():
        shapes = [{name: tensor.shape for name, tensor in make(n).state_dict().items()} for n in _TRIAL_CLASSES]
    for name, shape in shapes[0].items():
        if shape != shapes[1][name]:
            given = state_dict.get(name)
            # A network for as many classes as an empty tensor claims would have to be made before the shapes differ.
            if given is None or given.dim() == 0 or not 0 < len(given) <= given.numel():
                raise CLASSIFIER_MISSING.failure(name=repr(name))
            return len(given)
    raise NO_CLASSIFIER.failure(architecture="The architecture")


def _as_expected(tensor: Tensor, expected: Tensor) -> Tensor:
    """Half precision is upcast, since salience is computed in float32; counters keep the architecture's type."""
    return tensor.float() if tensor.is_floating_point() else tensor.to(expected.dtype)
