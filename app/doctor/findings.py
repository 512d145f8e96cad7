"""What a check found."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """``fail`` keeps the service from its work; ``warn`` makes it slower, or will."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and what to do where it is not well."""

    check: str
    verdict: Verdict
    detail: str
    advice: str | None = None

    def to_json(self) -> dict[str, str | None]:
        return asdict(self)

    def to_line(self) -> str:
        """Its parts may quote messages of several lines."""
        text = f"{self.verdict:<5} {self.check:<10} {self.detail}"
        return " ".join((text if self.advice is None else f"{text} -> {self.advice}").splitlines())


def ok(check: str, detail: str) -> Finding:
    return Finding(check, Verdict.OK, detail)


def warn(check: str, detail: str, advice: str) -> Finding:
    return Finding(check, Verdict.WARN, detail, advice)


def fail(check: str, detail: str, advice: str) -> Finding:
    return Finding(check, Verdict.FAIL, detail, advice)


def reason(error: BaseException) -> str:
    """The first line of what went wrong at the bottom; drivers name hosts and ports there, never passwords."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
