"""Why map sets cannot be audited together, or with these models."""

from app.domain.problems.problem_type import ProblemType
from app.errors import Conflict, Unprocessable

NOT_READY = ProblemType(Conflict, "map-set-not-ready", "These map sets are not ready: {ids}.")
OF_ANOTHER_DATASET = ProblemType(
    Unprocessable,
    "map-set-of-another-dataset",
    "These map sets are of another data set: {ids}. Upload their maps for this one.",
)
FRAMES_DIFFER = ProblemType(
    Unprocessable,
    "frames-differ",
    "The models see other parts of an image each, so that no map fits all of them: audit them one by one.",
)
SIZES_UNKNOWN = ProblemType(
    Unprocessable,
    "frames-differ",
    "How large these images are is not known, so that maps cannot be cut to what {model} sees of them. Fetch them with "
    "by_reference false.",
)
MEASURE_NEEDS_MODEL = ProblemType(
    Unprocessable,
    "measure-needs-model",
    "{measure} needs a model: name one beside the map sets, or leave the measure out.",
)
OF_OTHER_IMAGES = ProblemType(
    Unprocessable,
    "maps-of-other-images",
    "The maps of the map set {id} are of images that were made in another way: ask as the audit asked that handed the "
    "images out, with its seed, its settings and its models.",
)
INPUT_SIZES_DIFFER = ProblemType(
    Unprocessable, "input-sizes-differ", "The images have several sizes: {sizes}. Audit them one by one."
)
