"""timm's ``config.json``: which network, which classes, and how images become its input."""

from math import floor

from app.domain.refusals.architectures import CONFIG_CODE, CONFIG_FIELD
from app.models.configs.fields import Json, Said, Unsaid
from app.models.configs.labels import listed, with_names
from app.models.configs.transforms import interpolated, plain, shorter_side, stretched

_OF_WEIGHTS = frozenset({"num_classes", "pretrained"})
"""What the weights themselves show, or what is decided here."""
_CROP_PCT = 0.875
"""timm's own, where a file has none."""


def is_timm(config: Json) -> bool:
    """Whether timm, or transformers' wrapper around it, wrote the file."""
    wrapped = config.get("model_type") == "timm_wrapper" or "TimmWrapperForImageClassification" in _classes(config)
    return wrapped or (isinstance(config.get("architecture"), str) and "model_type" not in config)


def said_by_timm(config: Json) -> Said:
    """Raises Unprocessable where the file names code to run."""
    inner = config.get("pretrained_cfg")
    # Before timm 0.9 one object held all.
    pretrained: Json = inner if isinstance(inner, dict) else config
    for name, holder in (("auto_map", config), ("custom_load", pretrained), ("custom_load", config)):
        if holder.get(name):
            raise Unsaid(CONFIG_CODE, ("config", name)).error()
    notes: dict[str, str] = {}
    values: Json = {
        "architecture": f"timm/{config.get('architecture')}",
        "architecture_options": _options(config, pretrained),
        "preprocessing": _preprocessing(pretrained),
    }
    with_names(values, notes, _names(config, pretrained))
    if pretrained.get("label_offset"):
        values["class_names"] = Unsaid(CONFIG_FIELD, ("config", "label_offset"), {"what": "leaves classes out"})
    return Said(values, notes)


def _options(config: Json, pretrained: Json) -> Json:
    """As timm's own factory reads them: what was asked of the builder, then what the weights were made with."""
    options: Json = {}
    shape = _shape(pretrained.get("input_size"))
    if pretrained.get("fixed_input_size") and shape:
        options["img_size"] = shape[1:]
    pool = pretrained.get("global_pool") or config.get("global_pool")
    options |= {"global_pool": pool} if pool else {}
    given = config.get("model_args")
    options |= given if isinstance(given, dict) else {}
    return {name: value for name, value in options.items() if value is not None and name not in _OF_WEIGHTS}


def _names(config: Json, pretrained: Json) -> list[str] | Unsaid | None:
    names = config.get("label_names") or pretrained.get("label_names")
    if names is None:
        return listed(("config", "id2label"), config["id2label"]) if "id2label" in config else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return Unsaid(CONFIG_FIELD, ("config", "label_names"), {"what": "is no list of names"})
    return listed(("config", "label_names"), dict(enumerate(names)))


def _preprocessing(pretrained: Json) -> Json:
    """timm's transforms for evaluation: the shorter side to size / crop_pct, then the middle."""
    said: Json = {name: pretrained[name] for name in ("mean", "std") if name in pretrained}
    if "interpolation" in pretrained:
        said |= interpolated(pretrained["interpolation"], _place("interpolation"))
    shape = _shape(pretrained.get("input_size"))
    if shape is None:
        return said
    if shape[0] != 3:
        what = "asks for images that have not three channels"
        return said | {"input_size": Unsaid(CONFIG_FIELD, _place("input_size"), {"what": what})}
    return said | _resize(pretrained, shape[1], shape[2])


def _resize(pretrained: Json, height: int, width: int) -> Json:
    mode, share = pretrained.get("crop_mode") or "center", pretrained.get("crop_pct") or _CROP_PCT
    if not isinstance(share, int | float) or not 0.1 <= share <= 1:
        return {"resize": Unsaid(CONFIG_FIELD, _place("crop_pct"), {"what": "is no share from 0.1 to 1"})}
    sides = floor(height / share), floor(width / share)
    if mode == "center":
        return shorter_side(plain(sides), (height, width))
    if mode == "squash":
        return stretched(sides, (height, width), _place("crop_pct"))
    if mode == "border" and share == 1:
        return {"input_size": plain((height, width)), "resize": {"pad": "mean"}}
    what = f"is {str(mode)[:40]!r} with crop_pct {share}, which is not offered here"
    return {"resize": Unsaid(CONFIG_FIELD, _place("crop_mode"), {"what": what})}


def _place(name: str) -> tuple[str, ...]:
    return "config", "pretrained_cfg", name


def _shape(value: object) -> list[int] | None:
    """Channels, height and width."""
    is_shape = isinstance(value, list) and len(value) == 3 and all(isinstance(side, int) for side in value)
    return value if is_shape and isinstance(value, list) else None


def _classes(config: Json) -> list[str]:
    named = config.get("architectures")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
