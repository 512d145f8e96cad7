"""Names of splits."""

SPLIT_NAMES = frozenset(
    {
        *("train", "training", "trn", "val", "valid", "validation", "dev"),
        *("test", "testing", "tst", "holdout", "eval", "evaluation"),
    }
)
_TRAINING = frozenset({"train", "training", "trn"})


def is_split_name(name: str) -> bool:
    """Whether a folder of this name, in any case, may be a split."""
    return name.casefold() in SPLIT_NAMES


def is_training(split: str) -> bool:
    """Whether a split holds what a model was trained on."""
    return split.casefold() in _TRAINING
