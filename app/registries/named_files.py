"""Addresses that end with one file of a folder: with weights, or an archive."""

WEIGHTS = (".safetensors", ".pth", ".pth.tar", ".pt", ".pt2", ".ckpt", ".bin", ".onnx")
"""How files with weights end; ``.pth.tar`` is what torch's own examples call a checkpoint, and no tar."""
TARS = (".tar.gz", ".tgz", ".tar")
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".parquet")
BESIDE = ("salience.json", "config.json", "preprocessor_config.json")
"""What describes a file, where it lies in the same folder."""


def names_file(path: str) -> bool:
    """Whether its last part is called as a file is; a folder may be called so as well."""
    return path.lower().endswith((*WEIGHTS, *ARCHIVES))


def is_hidden(name: str) -> bool:
    """What tools leave behind: a Mac's ``._model.pth`` beside ``model.pth``."""
    return name.rpartition("/")[2].startswith(".")


def is_tar(name: str) -> bool:
    """Whether a file has files in it."""
    return name.endswith(TARS) and not name.endswith(WEIGHTS)


def belongs_to(file: str, name: str) -> bool:
    """Whether a file of the same folder is the one that is named, describes it, or has a graph's numbers."""
    has_numbers = file.endswith(".onnx") and name.startswith((f"{file}.", f"{file}_"))
    return name == file or name in BESIDE or has_numbers
