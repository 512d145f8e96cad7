"""What a file's name says, and which files name the images of their maps themselves, by their ending."""

from app.imaging.kinds import promised_kind

ARRAY = ".npy"
MANY = frozenset({"json", "csv", "tsv"})


def names_one(name: str) -> bool:
    """Whether it promises one map, of the image that it is named after; without such an ending only a look tells."""
    return name.casefold().endswith(ARRAY) or promised_kind(name) is not None


def file_of(name: str) -> str:
    """Without folders."""
    return name.rpartition("/")[2]


def ending(name: str) -> str:
    return file_of(name).rpartition(".")[2].casefold()


def speaks_of_many(name: str) -> bool:
    """Whether the maps in it are named within, not by the file's own name."""
    return ending(name) in MANY
