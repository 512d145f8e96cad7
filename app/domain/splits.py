"""Names of splits."""

TRAINING = frozenset({"train", "training", "trn"})
"""Of images that a model was trained on; in lower case, as all names here."""
_VALIDATION = frozenset({"val", "valid", "validation", "dev"})
_TEST = frozenset({"test", "testing", "tst", "holdout", "eval", "evaluation"})
SPLIT_NAMES = TRAINING | _VALIDATION | _TEST


def is_split_name(name: str) -> bool:
    """Whether a folder of this name, in any case, may be a split."""
    return name.casefold() in SPLIT_NAMES


def is_training(split: str) -> bool:
    """Whether a split holds what a model was trained on."""
    return split.casefold() in TRAINING
