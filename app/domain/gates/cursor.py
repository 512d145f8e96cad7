"""Steps through the tokens of a condition; what is not as expected is refused with its place."""

import math
import re

from app.domain.gates.tokens import ConditionError, Token

MAX_NUMBER = 1e9


class Cursor:
    """At the next token; the last one is the end."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0

    def name(self) -> str:
        if self.next.kind not in {"word", "quoted"}:
            raise self.expected("a name, in double quotes unless it is a plain word")
        token = self.take()
        return token.text if token.kind == "word" else re.sub(r"\\(.)", r"\1", token.text[1:-1])

    def number(self) -> float:
        if self.next.kind != "number":
            raise self.expected("a number")
        token = self.take()
        value = float(token.text)
        if not math.isfinite(value) or abs(value) > MAX_NUMBER:
            raise ConditionError("the number is too large", token.position)
        return value + 0.0  # -0.0 becomes 0.0

    def word(self, what: str, choices: tuple[str, ...]) -> Token:
        if self.next.text not in choices:
            listed = ", ".join(choices)
            raise self.expected(what if len(choices) == 1 else f"{what} ({listed})")
        return self.take()

    def sign(self, sign: str) -> None:
        if self.next.text != sign:
            raise self.expected(f"'{sign}'")
        self.take()

    def expect_end(self) -> None:
        if self.next.kind != "end":
            raise self.expected("the end or options in brackets")

    @property
    def next(self) -> Token:
        return self._tokens[self._place]

    def take(self) -> Token:
        token = self.next
        self._place += 1
        return token

    def expected(self, what: str) -> ConditionError:
        return ConditionError(f"expected {what}", self.next.position)

    def step_back(self) -> None:
        """The token that was taken last is the next one again."""
        self._place -= 1
