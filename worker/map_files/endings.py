"""What a file's name says, and which files name the images of their maps themselves, by their ending."""

ARRAY = ".npy"
MANY = frozenset({"json", "csv", "tsv"})


def file_of(name: str) -> str:
    """Without folders."""
    return name.rpartition("/")[2]


def ending(name: str) -> str:
    return file_of(name).rpartition(".")[2].casefold()


def speaks_of_many(name: str) -> bool:
    """Whether the maps in it are named within, not by the file's own name."""
    return ending(name) in MANY
