"""The layers of a head as a module that was pickled whole recorded them, with their activations."""

from collections.abc import Iterable, Iterator

from app.domain.models.heads import WITH_WEIGHTS, Head, HeadLayer, LayerKind
from worker.weights.contents import Contents
from worker.weights.matching import Match
from worker.weights.tensor_names import WRAPPERS
from worker.weights.walking import ModuleRecord

_SEQUENTIAL = "torch.nn.modules.container.Sequential"
_LIBRARIES = ("torch.nn.modules.", "fastai.layers")
# By torch's class: the layer, the attribute that is its number, and what other attributes must be.
_KINDS: dict[str, tuple[LayerKind, str | None, dict[str, object]]] = {
    "Linear": (LayerKind.LINEAR, "out_features", {}),
    "BatchNorm1d": (LayerKind.BATCHNORM, "eps", {"track_running_stats": True}),
    "LayerNorm": (LayerKind.LAYERNORM, "eps", {}),
    "PReLU": (LayerKind.PRELU, None, {}),
    "Dropout": (LayerKind.DROPOUT, "p", {}),
    "Flatten": (LayerKind.FLATTEN, None, {"start_dim": 1, "end_dim": -1}),
    "Identity": (LayerKind.IDENTITY, None, {}),
    "ReLU": (LayerKind.RELU, None, {}),
    "ReLU6": (LayerKind.RELU6, None, {}),
    "LeakyReLU": (LayerKind.LEAKY_RELU, "negative_slope", {}),
    "ELU": (LayerKind.ELU, "alpha", {}),
    "SELU": (LayerKind.SELU, None, {}),
    "GELU": (LayerKind.GELU, None, {"approximate": "none"}),
    "SiLU": (LayerKind.SILU, None, {}),
    "Mish": (LayerKind.MISH, None, {}),
    "Hardswish": (LayerKind.HARDSWISH, None, {}),
    "Tanh": (LayerKind.TANH, None, {}),
    "Sigmoid": (LayerKind.SIGMOID, None, {}),
    "Softplus": (LayerKind.SOFTPLUS, None, {"beta": 1, "threshold": 20}),
    "Softmax": (LayerKind.SOFTMAX, None, {}),
    "LogSoftmax": (LayerKind.LOG_SOFTMAX, None, {}),
    "AdaptiveConcatPool2d": (LayerKind.CONCATPOOL, None, {"size": 1}),
}


class RecordedHeads:
    """Answers for the layers of a match: ``recorded(["fc.0", "fc.3"])`` is the Sequential ``fc``."""

    def __init__(self, found: Match, contents: Contents) -> None:
        self._prefix = f"{found.key}." if found.key else ""
        self._records: dict[str, ModuleRecord] = {}
        for path, record in contents.modules.items():
            parts = [part for part in path if part not in WRAPPERS] if found.wrappers else path
            self._records[".".join(parts)] = record

    def __call__(self, names: Iterable[str]) -> Head | None:
        """None where no Sequential holds these layers, and no others with weights, or where one is of another kind.

        ``names`` are those of the network, or of what stands beside it.
        """
        wanted = list(names)
        if not wanted:
            return None
        for prefix in dict.fromkeys((self._prefix, "")):
            container = wanted[0]
            while container:
                container = container.rpartition(".")[0]
                if self._is_sequential(prefix + container) and all(name.startswith(f"{container}.") for name in wanted):
                    return self._head(prefix + container, len(wanted))
        return None

    def _is_sequential(self, name: str) -> bool:
        record = self._records.get(name)
        return record is not None and record.class_path == _SEQUENTIAL

    def _head(self, container: str, with_weights: int) -> Head | None:
        layers = tuple(self._layers(container))
        known = [layer for layer in layers if layer is not None]
        weighted = sum(layer.kind in WITH_WEIGHTS for layer in known)
        try:
            return Head(layers=tuple(known)) if len(known) == len(layers) and weighted == with_weights else None
        except ValueError:  # no head that can be declared, such as one without a linear layer
            return None

    def _layers(self, container: str) -> Iterator[HeadLayer | None]:
        numbers = sorted(
            int(part)
            for name in self._records
            if name.startswith(f"{container}.") and (part := name[len(container) + 1 :]).isdecimal()
        )
        for number in numbers:
            name = f"{container}.{number}"
            if self._is_sequential(name):
                yield from self._layers(name)
            else:
                yield _layer(self._records[name])


def _layer(record: ModuleRecord) -> HeadLayer | None:
    package, _, name = record.class_path.rpartition(".")
    kind, number, fixed = _KINDS.get(name, (None, None, {}))
    if kind is None or not package.startswith(_LIBRARIES):
        return None
    if any(record.attributes.get(attribute, value) != value for attribute, value in fixed.items()):
        return None
    try:
        shown = {} if number is None else {"number": record.attributes[number]}
        return HeadLayer.model_validate({"kind": kind, **shown})
    except (ValueError, LookupError):
        return None
