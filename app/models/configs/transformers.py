"""transformers' ``config.json``: the class, its options, the names of its classes."""

from app.domain.models.transformers_classes import MODEL_TYPES
from app.domain.refusals.architectures import CONFIG_CLASS, CONFIG_CODE, CONFIG_FIELD
from app.models.configs.fields import Json, Said, Unsaid
from app.models.configs.labels import listed, with_names

_NOT_OF_THE_NETWORK = frozenset(
    {"architectures", "auto_map", "id2label", "label2id", "model_type", "num_labels", "problem_type"}
    | {"_name_or_path", "_commit_hash", "_attn_implementation", "transformers_version", "torch_dtype", "dtype"}
    | {"finetuning_task", "gradient_checkpointing", "use_cache", "encoder_stride", "initializer_range"}
    | {"stage_names", "out_features", "out_indices", "output_attentions", "output_hidden_states", "return_dict"}
)
"""Of how it was saved, trained and asked, or of backbones."""
_OUTPUTS = {"multi_label_classification": "multilabel"}


def said_by_transformers(config: Json) -> Said:
    """Raises Unprocessable where the file names code to run, or weights of a kind that is not read."""
    if config.get("auto_map"):
        raise Unsaid(CONFIG_CODE, ("config", "auto_map")).error()
    if config.get("quantization_config"):
        raise Unsaid(CONFIG_FIELD, ("config", "quantization_config"), {"what": "is of quantised weights"}).error()
    notes: dict[str, str] = {}
    options = {name: value for name, value in config.items() if name not in _NOT_OF_THE_NETWORK and value is not None}
    values: Json = {"architecture": _architecture(config), "architecture_options": options}
    if kind := _OUTPUTS.get(str(config.get("problem_type"))):
        values["output"] = {"kind": kind}
    if config.get("problem_type") == "regression":
        values["output"] = Unsaid(CONFIG_FIELD, ("config", "problem_type"), {"what": "is regression, and no classes"})
    names = config.get("id2label")
    with_names(values, notes, None if names is None else listed(("config", "id2label"), names))
    return Said(values, notes)


def _architecture(config: Json) -> str | Unsaid:
    """The class that was saved; where the file names none, the one that the library itself takes for its type."""
    kind, named = config.get("model_type"), config.get("architectures")
    known = [name for name, its_type in MODEL_TYPES.items() if its_type == kind]
    chosen = named if isinstance(named, list) and named else known[:1]
    for name in chosen:
        if name in known:
            return f"transformers/{name}"
    facts: dict[str, object] = {"found": repr((chosen or [kind])[0]), "known": ", ".join(MODEL_TYPES)}
    return Unsaid(CONFIG_CLASS, ("config", "architectures"), facts)
