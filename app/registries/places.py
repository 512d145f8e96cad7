"""Addresses of data sets: a folder, or an archive in one that is named itself.

``s3://BUCKET/FOLDER``, ``s3://BUCKET/FOLDER/shard-000.tar``, ``hf://datasets/OWNER/REPOSITORY@REVISION/data/x.parquet``;
``train-{000000..000099}.tar`` names several.
"""

import re
from urllib.parse import unquote

from app.registries.named_files import ARCHIVES
from app.registries.uris import FOLDER, SCHEMES, kind_of

READ_IN_PLACE = (".tar", ".parquet")
_OF_A_HUB = re.compile(r"(?P<place>hf://datasets/[^@]+@(?:refs/(?:convert|pr)/)?[^/@]+)/(?P<file>.+)")
_FILE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,400}")


def place_of(uri: str) -> tuple[str, str | None]:
    """The folder, and the archive in it that the address names, if it does."""
    if uri.startswith("http"):
        return uri, unquote(uri.partition("#")[0].rpartition("/")[2])
    folder, file = _divided(uri)
    if not file.lower().endswith(ARCHIVES):
        return uri, None
    return folder, unquote(file) if uri.startswith(SCHEMES[FOLDER]) else file


def dataset_kind(uri: str) -> str:
    """Of the connection that the address of a data set is for. Raises ValueError."""
    place, file = place_of(uri)
    if file is not None and (not _FILE.fullmatch(file) or any(part in {"", ".", ".."} for part in file.split("/"))):
        raise ValueError("the file that the address names cannot be")
    return kind_of(place)


def is_range(file: str) -> bool:
    """Whether a name stands for several shards."""
    return "{" in file


def names_one(uri: str) -> bool:
    """Whether an address is that of one file."""
    file = place_of(uri)[1]
    return file is not None and not is_range(file)


def _divided(uri: str) -> tuple[str, str]:
    """The folder, and what may be a file in it."""
    if uri.startswith("hf://"):
        found = _OF_A_HUB.fullmatch(uri)
        return (uri, "") if found is None else (found["place"], found["file"])
    folder, _, file = uri.rpartition("/")
    return folder, file
