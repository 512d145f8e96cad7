"""Why something is not deleted while others refer to it."""

from typing import Literal

from app.domain.problems.problem_type import ProblemType
from app.errors import Conflict

Noun = Literal["model", "data set", "run group", "map set"]

_SENTENCE = "These refer to the {noun}: {audits}; {advice}."
DELETE_FIRST = "delete them first"
IN_USE: dict[Noun, ProblemType] = {
    "model": ProblemType(Conflict, "model-in-use", _SENTENCE),
    "data set": ProblemType(Conflict, "dataset-in-use", _SENTENCE),
    "run group": ProblemType(Conflict, "run-group-in-use", _SENTENCE),
    "map set": ProblemType(Conflict, "map-set-in-use", _SENTENCE),
}
IN_A_GROUP = ProblemType(Conflict, "model-in-use", "The run group {id} refers to the model; delete that first.")
