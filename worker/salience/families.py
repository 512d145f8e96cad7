"""Where salience is taken in networks whose last spatial tensor is not what their last pooling takes.

A row holds classes by their qualified names, so that no library is imported for it, and the layer by a path in which
``-1`` is the last child. Of several paths the first that a network has counts. The layer's layout is what the probe
sees in the operations of a pass; a row is refused where that is another one.
"""

import re
from dataclasses import dataclass

from torch import nn

from app.domain.vocabulary import Layout


@dataclass(frozen=True)
class Family:
    """Networks with one rule for the default layer: of these classes, and with parts of one of the classes ``parts``.

    ``reads_class_token``: those alone whose ``global_pool`` says that they read nothing but the class token.
    """

    classes: tuple[str, ...]
    layers: tuple[str, ...]
    layouts: frozenset[Layout]
    parts: tuple[str, ...] = ()
    reads_class_token: bool = False

    def has(self, network: nn.Module) -> bool:
        if not {_qualified(kind) for kind in type(network).__mro__} & set(self.classes):
            return False
        if self.reads_class_token and getattr(network, "global_pool", None) != "token":
            return False
        return not self.parts or any(_qualified(type(one)) in self.parts for one in network.modules())


_INDEX = re.compile(r"\[(-?\d{1,4})\]")
_TOKENS = frozenset({Layout.TOKENS})
_NHWC = frozenset({Layout.NHWC})
_OF_TRANSFORMERS = "transformers.models."
_WITH_REGISTERS = f"{_OF_TRANSFORMERS}dinov2_with_registers.modeling_dinov2_with_registers"
_TORCHVISION_SWIN = "torchvision.models.swin_transformer.SwinTransformer"
_TIMM_VIT = "timm.models.vision_transformer.VisionTransformer"
_TIMM_EVA = "timm.models.eva.Eva"
_TIMM_RELPOS = "timm.models.vision_transformer_relpos.VisionTransformerRelPos"

FAMILIES = (
    # Blocks that norm what they add: the last block's attention reads the block before it, as it is. What is normed
    # behind the attention reaches the class token from nowhere but that token.
    Family(
        (_TIMM_VIT, _TIMM_EVA, _TIMM_RELPOS),
        ("blocks.-2",),
        _TOKENS,
        (
            "timm.models.vision_transformer.ResPostBlock",
            "timm.models.vision_transformer_relpos.ResPostRelPosBlock",
            "timm.models.eva.EvaBlockPostNorm",
        ),
        reads_class_token=True,
    ),
    # What the last block's attention reads: behind it, the class token alone counts.
    Family(
        (
            _TIMM_VIT,
            "timm.models.beit.Beit",
            _TIMM_EVA,
            "timm.models.cait.Cait",
            "timm.models.xcit.Xcit",
            "timm.models.convit.ConVit",
            "timm.models.naflexvit.NaFlexVit",
            _TIMM_RELPOS,
        ),
        ("blocks.-1.norm1", "blocks.-1.in_norm", "blocks.-1.attns.0.norm"),
        _TOKENS,
    ),
    Family(("torchvision.models.vision_transformer.VisionTransformer",), ("encoder.layers.-1.ln_1",), _TOKENS),
    Family(
        (
            f"{_OF_TRANSFORMERS}vit.modeling_vit.ViTForImageClassification",
            f"{_OF_TRANSFORMERS}deit.modeling_deit.DeiTForImageClassification",
            f"{_OF_TRANSFORMERS}deit.modeling_deit.DeiTForImageClassificationWithTeacher",
            f"{_OF_TRANSFORMERS}beit.modeling_beit.BeitForImageClassification",
        ),
        ("vit.layers.-1.layernorm_before", "deit.layers.-1.layernorm_before", "beit.layers.-1.layernorm_before"),
        _TOKENS,
    ),
    Family(
        (
            f"{_OF_TRANSFORMERS}dinov2.modeling_dinov2.Dinov2ForImageClassification",
            f"{_WITH_REGISTERS}.Dinov2WithRegistersForImageClassification",
        ),
        ("dinov2.encoder.layer.-1.norm1", "dinov2_with_registers.encoder.layer.-1.norm1"),
        _TOKENS,
    ),
    Family(("timm.models.volo.VOLO",), ("network.-1.-1.norm1",), frozenset({Layout.NHWC, Layout.TOKENS})),
    Family(("timm.models.pit.PoolingVisionTransformer",), ("transformers.-1.blocks.-1.norm1",), _TOKENS),
    # Blocks that norm what they add: the last block's output, not the norm behind it.
    Family(("timm.models.swin_transformer_v2.SwinTransformerV2",), ("layers.-1.blocks.-1",), _NHWC),
    Family((_TORCHVISION_SWIN,), ("features.-1.-1",), _NHWC, (f"{_TORCHVISION_SWIN}BlockV2",)),
    Family(
        (f"{_OF_TRANSFORMERS}swinv2.modeling_swinv2.Swinv2ForImageClassification",),
        ("swinv2.encoder.layers.-1.blocks.-1",),
        _TOKENS,
    ),
    # The norm after the last stage.
    Family(("timm.models.swin_transformer.SwinTransformer", _TORCHVISION_SWIN), ("norm",), _NHWC),
    Family((f"{_OF_TRANSFORMERS}swin.modeling_swin.SwinForImageClassification",), ("swin.layernorm",), _TOKENS),
    Family(("timm.models.pvt_v2.PyramidVisionTransformerV2",), ("stages.-1.norm",), _TOKENS),
    Family(
        (f"{_OF_TRANSFORMERS}pvt_v2.modeling_pvt_v2.PvtV2ForImageClassification",),
        ("pvt_v2.encoder.layers.-1.layer_norm",),
        _TOKENS,
    ),
)


def family_of(network: nn.Module) -> Family | None:
    """The first row that has the network."""
    return next((family for family in FAMILIES if family.has(network)), None)


def layer_named(network: nn.Module, path: str) -> str | None:
    """The name of the module at a path in which a negative number counts children from the end; None without one."""
    names: list[str] = []
    part = network
    for step in path.split("."):
        children = list(part._modules)  # noqa: SLF001 - named_children leaves out repeated ones
        counts_back = step.startswith("-") and step[1:].isdigit() and 0 < int(step[1:]) <= len(children)
        name = children[int(step)] if counts_back else step
        child = part._modules.get(name)  # noqa: SLF001
        if child is None:
            return None
        names.append(name)
        part = child
    return ".".join(names)


def layer_as_written(network: nn.Module, wanted: str) -> str:
    """The name that Python would find by ``model.layer4[-1]``, as users of other tools write it; else as it is."""
    path = _INDEX.sub(r".\1", wanted)
    found = layer_named(network, path) or layer_named(network, path.removeprefix("model."))
    return found or wanted


def default_layer(network: nn.Module, family: Family) -> str | None:
    """The layer of the family's row in this network."""
    return next((name for path in family.layers if (name := layer_named(network, path)) is not None), None)


def _qualified(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
