"""A reason for which a request is refused: a problem type, in the words of RFC 9457."""

from dataclasses import dataclass

from app.errors import SalienceError


@dataclass(frozen=True)
class ProblemType:
    """``sentence`` has places in braces for what is known of this request."""

    kind: type[SalienceError]
    code: str
    sentence: str

    def error(self, **facts: object) -> SalienceError:
        """To be raised."""
        return self.kind(self.code, self.detail(**facts))

    def detail(self, **facts: object) -> str:
        return self.sentence.format(**facts)
