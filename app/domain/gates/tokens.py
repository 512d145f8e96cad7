"""The words and signs of a gate's condition, each with its place."""

import re
from dataclasses import dataclass

_PATTERN = re.compile(
    r"""
    (?P<blank>\s+)
    | (?P<parametrised>[A-Za-z_][A-Za-z0-9_]*@(?:[0-9]+(?:\.[0-9]+)?|[a-z]+))
    | (?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<quoted>"(?:[^"\\]|\\["\\])*")
    | (?P<sign><=|>=|==|[<>.=,()\[\]])
    """,
    re.VERBOSE,
)


class ConditionError(ValueError):
    """What was expected, and the position (from 0) of the character where something else stands."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"at character {position + 1}: {message}")
        self.position = position


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    position: int


def tokens_of(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise ConditionError("no part of a condition begins like this", position)
        if match.lastgroup != "blank":
            tokens.append(Token(match.lastgroup or "", match.group(), position))
        position = match.end()
    return [*tokens, Token("end", "", len(text))]
