"""Names of splits."""

import re
from collections.abc import Iterable

TRAINING = frozenset({"train", "training", "trn"})
"""Of images that a model was trained on; in lower case, as all names here."""
_VALIDATION = frozenset({"val", "valid", "validation", "dev"})
_TEST = frozenset({"test", "testing", "tst", "holdout", "eval", "evaluation"})
SPLIT_NAMES = TRAINING | _VALIDATION | _TEST
_FILLERS = frozenset(
    {"set", "data", "dataset", "image", "images", "img", "imgs", "picture", "pictures", "folder", "split", "files"}
)
"""Words beside a split's name that say nothing."""
_NUMBERED = re.compile(r"(?:fold|split|partition|part|batch|shard|chunk)[\W_]*\d+", re.IGNORECASE)


def is_split_name(name: str) -> bool:
    """Whether a folder of this name, in any case, may be a split."""
    return name.casefold() in SPLIT_NAMES


def splits_among(folders: Iterable[str]) -> dict[str, str]:
    """The split that each of the folders names, where every one does; empty where one does not.

    ``training_set`` is ``training``, ``train2017`` and ``Train Images`` are ``train``. Words that all of several
    folders have say nothing (``seg_train``, ``seg_test``); one folder alone has to be called as a split is.
    """
    words = {folder: _words(folder) for folder in folders}
    if len(words) < 2:
        return {folder: folder.casefold() for folder in words if is_split_name(folder)}
    common = set.intersection(*map(set, words.values())) - SPLIT_NAMES
    found = {folder: [word for word in own if word not in common | _FILLERS] for folder, own in words.items()}
    if any(len(left) != 1 or left[0] not in SPLIT_NAMES for left in found.values()):
        return {}
    return {folder: left[0] for folder, left in found.items()}


def numbered_parts(paths: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """The folders on top as splits (``fold1``), where all are numbered parts that share folders below; else empty."""
    below: dict[str, set[str]] = {}
    for path in paths:
        below.setdefault(path[0], set()).add(path[1] if len(path) > 1 else "")
    named = len(below) > 1 and all(_NUMBERED.fullmatch(folder) for folder in below)
    inner = [folder for folders in below.values() for folder in folders]
    if not named or "" in inner or len(set(inner)) == len(inner):
        return {}
    return {folder: folder.casefold() for folder in below}


def _words(name: str) -> list[str]:
    """In lower case, without digits; ``trainset`` is two."""
    plain = [word for word in re.split(r"[\W\d_]+", name.casefold()) if word]
    return [word.removesuffix("set") if word.removesuffix("set") in SPLIT_NAMES else word for word in plain]


def is_training(split: str) -> bool:
    """Whether a split holds what a model was trained on."""
    return split.casefold() in TRAINING
