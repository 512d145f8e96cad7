"""What two stored maps can be compared by, but for the arithmetic, which `worker.functional.similarities` keeps."""

from dataclasses import dataclass
from enum import StrEnum


class Similarity(StrEnum):
    """By the names that the field has for them."""

    SSIM = "ssim"
    CC = "cc"
    SPEARMAN = "spearman"
    SIM = "sim"
    EMD = "emd"
    IOU = "iou"


@dataclass(frozen=True)
class SimilaritySpec:
    """A similarity's page. A map needs ``fewest_rows`` and columns; of more than ``most_cells`` it takes too long."""

    title: str
    formula: str
    value_range: tuple[float, float]
    lower_is_closer: bool = False
    fewest_rows: int = 1
    most_cells: int | None = None


SIMILARITIES: dict[Similarity, SimilaritySpec] = {
    Similarity.SSIM: SimilaritySpec(
        "SSIM",
        "scikit-image's structural_similarity of the 8-bit maps: windows of 7 x 7",
        (-1, 1),
        fewest_rows=7,
    ),
    Similarity.CC: SimilaritySpec("CC", "Pearson's correlation over the cells", (-1, 1)),
    Similarity.SPEARMAN: SimilaritySpec(
        "Spearman", "Pearson's correlation of the cells' ranks, equal ones sharing the mean of theirs", (-1, 1)
    ),
    Similarity.SIM: SimilaritySpec("SIM", "the sum over the cells of the smaller share of each map's sum", (0, 1)),
    Similarity.EMD: SimilaritySpec(
        "EMD",
        "the least work that makes one map's shares the other's: cells' distance over the grid's diagonal",
        (0, 1),
        lower_is_closer=True,
        most_cells=100,
    ),
    Similarity.IOU: SimilaritySpec(
        "IoU", "intersection over union of each map's top fifth of cells (ties with the last are in, zeros out)", (0, 1)
    ),
}
