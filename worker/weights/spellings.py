"""Other names for the tensors of the same networks, as files of other libraries have them.

A spelling turns the names that a network has into those of such a file. The outputs of the two are equal: the tests
compare them with the libraries themselves.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from worker.weights.outline import Outline

Renaming = Callable[[Outline], dict[str, str]]


@dataclass(frozen=True)
class Spelling:
    """``library`` is whose it is; ``renames`` gives for the names of a network those in the file."""

    library: str
    applies: re.Pattern[str]
    renames: Renaming


STATICALLY_PADDED = "efficientnet_pytorch"
HEADS = ("last_linear.", "last_conv.")
"""As pretrainedmodels calls the last layer of every network."""


def spelled(outline: Outline) -> list[tuple[str | None, dict[str, str]]]:
    """By library, the name in the file for every name of the network; the network's own come first."""
    own: list[tuple[str | None, dict[str, str]]] = [(None, {name: name for name in outline.shapes})]
    if outline.saved:
        own.append(("transformers", dict(outline.saved)))
    foreign = [
        (spelling.library, spelling.renames(outline))
        for spelling in SPELLINGS
        if spelling.applies.fullmatch(outline.architecture)
    ]
    return own + foreign


def redirected(candidates: list[str]) -> list[str]:
    """The candidates, and the network for which efficientnet_pytorch has the same name.

    Its padding and its batch norm are TensorFlow's: torchvision's efficientnet_b0 is another network than its b0.
    """
    numbers = [number[1] for candidate in candidates if (number := _EFFICIENTNET.fullmatch(candidate))]
    return list(dict.fromkeys([*candidates, *(f"timm/tf_efficientnet_{number}" for number in numbers)]))


_EFFICIENTNET = re.compile(r"(?:torchvision|timm)/efficientnet_(b[0-8]|l2)")
_TF_BLOCK = re.compile(r"blocks\.(\d+)\.(\d+)\.(.+)")
_TF_TOP = {
    "conv_stem.": "_conv_stem.",
    "bn1.": "_bn0.",
    "conv_head.": "_conv_head.",
    "bn2.": "_bn1.",
    "classifier.": "_fc.",
}
# With expansion: pointwise, depthwise, squeeze, pointwise; the first blocks have none.
_TF_INVERTED = {
    "conv_pw.": "_expand_conv.", "bn1.": "_bn0.", "conv_dw.": "_depthwise_conv.", "bn2.": "_bn1.",
    "se.conv_reduce.": "_se_reduce.", "se.conv_expand.": "_se_expand.", "conv_pwl.": "_project_conv.", "bn3.": "_bn2.",
}  # fmt: skip
_TF_SEPARABLE = {
    "conv_dw.": "_depthwise_conv.", "bn1.": "_bn1.", "se.conv_reduce.": "_se_reduce.", "se.conv_expand.": "_se_expand.",
    "conv_pw.": "_project_conv.", "bn2.": "_bn2.",
}  # fmt: skip


def _efficientnet_pytorch(outline: Outline) -> dict[str, str]:
    """github.com/lukemelas/EfficientNet-PyTorch, 0.7: blocks are numbered through."""
    blocks = {(int(block[1]), int(block[2])) for name in outline.shapes if (block := _TF_BLOCK.fullmatch(name))}
    numbers = {place: number for number, place in enumerate(sorted(blocks))}
    expanding = {name.rpartition(".conv_pwl.")[0] for name in outline.shapes if ".conv_pwl." in name}
    renamed: dict[str, str] = {}
    for name in outline.shapes:
        block = _TF_BLOCK.fullmatch(name)
        if block is None:
            renamed[name] = _swapped_start(name, _TF_TOP)
            continue
        parts = _TF_INVERTED if f"blocks.{block[1]}.{block[2]}" in expanding else _TF_SEPARABLE
        number = numbers[int(block[1]), int(block[2])]
        renamed[name] = f"_blocks.{number}.{_swapped_start(block[3], parts)}"
    return renamed


def _swapped_start(name: str, starts: dict[str, str]) -> str:
    for start, other in starts.items():
        if name.startswith(start):
            return other + name[len(start) :]
    return name


def _replacing(*rules: tuple[str, str]) -> Renaming:
    patterns = [(re.compile(pattern), other) for pattern, other in rules]

    def rename(outline: Outline) -> dict[str, str]:
        renamed = {}
        for name in outline.shapes:
            renamed[name] = name
            for pattern, other in patterns:
                renamed[name] = pattern.sub(other, renamed[name])
        return renamed

    return rename


def _numbered(outline: Outline) -> dict[str, str]:
    """``nn.Sequential(*network.children())``, from which people and fastai leave out the last ones."""
    numbers = {f"{name}.": f"{number}." for number, name in enumerate(outline.children)}
    return {name: _swapped_start(name, numbers) for name in outline.shapes}


_ONE_AFTER_THE_OTHER = re.compile(
    r"torchvision/(?:resnet\d+|resnext\w+|wide_resnet\w+|vgg\w+|alexnet|mobilenet_v[23]\w*|efficientnet_\w+"
    r"|convnext_\w+|shufflenet_\w+|mnasnet\w+|regnet_\w+)|timm/resnet\d+"
)
"""Networks that are no more than their outermost modules in their order, up to the pooling; DenseNet has a ReLU there.

The tests run them so.
"""


def _features_alone(outline: Outline) -> dict[str, str]:
    """``backbone = network.features``."""
    return {name: name.removeprefix("features.") for name in outline.shapes}


SPELLINGS = (
    Spelling("torch.nn.Sequential", _ONE_AFTER_THE_OTHER, _numbered),
    Spelling("torch.nn.Sequential", _ONE_AFTER_THE_OTHER, _features_alone),
    Spelling(STATICALLY_PADDED, re.compile(r"timm/tf_efficientnet_(?:b[0-8]|l2)"), _efficientnet_pytorch),
    Spelling(
        "torchvision before 0.2.2",
        re.compile(r"(?:torchvision|timm)/densenet\d+"),
        _replacing((r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.")),
    ),
    Spelling(
        "torchvision before 0.14",
        re.compile(r"torchvision/vit_\w+"),
        _replacing((r"\.mlp\.0\.", ".mlp.linear_1."), (r"\.mlp\.3\.", ".mlp.linear_2.")),
    ),
    Spelling(
        "pretrainedmodels",
        re.compile(r"torchvision/alexnet"),
        _replacing(
            (r"^features\.", "_features."), (r"^classifier\.1\.", "linear0."), (r"^classifier\.4\.", "linear1."),
            (r"^classifier\.6\.", "last_linear."),
        ),
    ),
    Spelling(
        "pretrainedmodels",
        re.compile(r"torchvision/vgg\d+(?:_bn)?"),
        _replacing(
            (r"^features\.", "_features."), (r"^classifier\.0\.", "linear0."), (r"^classifier\.3\.", "linear1."),
            (r"^classifier\.6\.", "last_linear."),
        ),
    ),
)  # fmt: skip
