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
    KL = "kl"
    POINTING_GAME = "pointing_game"
    NSS = "nss"
    AUC_JUDD = "auc_judd"


@dataclass(frozen=True)
class SimilaritySpec:
    """A similarity's page. A map needs ``fewest_rows`` and columns; of more than ``most_cells`` it takes too long.

    Histograms are drawn over ``value_range``, which NSS alone may leave. ``of_fixations``: what is compared with is no
    map, but the fixations that it was made of.
    """

    title: str
    formula: str
    value_range: tuple[float, float]
    lower_is_closer: bool = False
    fewest_rows: int = 1
    most_cells: int | None = None
    of_fixations: bool = False


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
    Similarity.KL: SimilaritySpec(
        "KL",
        "the sum over the cells of q log(q / (p + e) + e), with p and q the shares of the first and the second map's "
        "sum and e = 1e-12",
        (0, 28),
        lower_is_closer=True,
    ),
    Similarity.POINTING_GAME: SimilaritySpec(
        "pointing game",
        "whether the first map's highest cell is among the second one's top fifth; of several highest, their share",
        (0, 1),
    ),
    Similarity.NSS: SimilaritySpec(
        "NSS",
        "the mean over the fixations of the map's value there, less its mean over its standard deviation",
        (-4, 8),
        of_fixations=True,
    ),
    Similarity.AUC_JUDD: SimilaritySpec(
        "AUC-Judd",
        "the area under the ROC curve of the map's cells: every fixation is a hit, every other cell a false alarm",
        (0, 1),
        of_fixations=True,
    ),
}
