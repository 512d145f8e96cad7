"""Which files name the images of their maps themselves, by their ending."""

MANY = frozenset({"json", "csv", "tsv"})


def ending(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[2].casefold()


def speaks_of_many(name: str) -> bool:
    """Whether the maps in it are named within, not by the file's own name."""
    return ending(name) in MANY
