"""Why something is not taken: code, cause, the sentence that its owner reads, the way out."""

from dataclasses import dataclass
from enum import StrEnum

from app.errors import InputFailure

_ONE_LINE = 200


@dataclass(frozen=True)
class Refusal:
    """``sentence`` and ``way_out`` have places in braces for what is known of this file."""

    code: str
    cause: str
    sentence: str
    way_out: str

    def failure(self, *, program: dict[str, object] | None = None, **facts: object) -> InputFailure:
        """``program`` goes into the problem as it is."""
        return InputFailure(self.code, self.detail(**facts), **(program or {}))

    def detail(self, **facts: object) -> str:
        """Sentence and way out; ``facts`` fill the places, each cut to a line but for tuples of our own words."""
        shown = {name: _short(fact) for name, fact in facts.items()}
        return f"{self.sentence.format(**shown)} {self.way_out.format(**shown)}"


def _short(fact: object) -> str:
    if isinstance(fact, tuple) and all(isinstance(each, StrEnum) for each in fact):
        return ", ".join(fact)
    text = fact if isinstance(fact, str) else str(fact)
    return text if len(text) <= _ONE_LINE else f"{text[:_ONE_LINE]}..."
