"""The words of a report: what a score is called, why there is none, and how numbers are written."""

from collections.abc import Sequence

from app.domain.measures import spec_of, view_title
from app.domain.results.meaning import reason
from app.domain.vocabulary import UndefinedReason

REASONS: dict[str, str] = {
    UndefinedReason.CONSTANT_MAP: "the map of the clean image is the same everywhere, so it shows no salience",
    UndefinedReason.CONSTANT_VIEW_MAP: "the map of the changed image is the same everywhere, so it shows no salience",
    UndefinedReason.NONFINITE_OUTPUT: "the model put out numbers that are not finite",
    UndefinedReason.NO_TARGET: "the sample has no label that is one of the model's classes, so there is no target",
    UndefinedReason.NO_MAP: "the map set has no map of the sample",
    UndefinedReason.NO_FIXATIONS: "the map set has no fixation on what the model sees of the sample",
    UndefinedReason.NO_CELL_WITHOUT_FIXATION: "people looked at every cell of the map, so none is left to tell apart",
    UndefinedReason.MAP_TOO_SMALL: "one of the maps is smaller than the similarity's window",
    UndefinedReason.TOO_LITTLE_IN_COMMON: "what both maps saw of the image holds no window of 7 x 7 pixels",
    UndefinedReason.MAP_TOO_LARGE: "both maps have more cells than the similarity can compare in time",
    UndefinedReason.ONE_CELL: "the map is one cell, whose entropy is 0, so that it cannot rise by a share",
    UndefinedReason.FILL_SUFFICES: "the fill alone gets the same prediction, so no part of the image suffices",
    UndefinedReason.UNREADABLE: "the image cannot be read; the data set's samples say why",
}
MINUS = "\N{MINUS SIGN}"
"""A true one, so that screen readers say it."""
NO_NUMBER = "\N{EN DASH}"
MOST_LETTERS = 28


def score_title(measure: str, view: str) -> str:
    """A number's name above a table: ``Entropy, spatial``."""
    return f"{spec_of(measure).title}, {view_title(view)}"


def headline(measure: str, view: str) -> str:
    """A number's name within a sentence: ``entropy (spatial)``; stability has one view only."""
    spec = spec_of(measure)
    title = spec.title.lower()
    return title if spec.gates.views == (view,) else f"{title} ({view_title(view)})"


class Greyed(str):
    """A number that says nothing: shown, but greyed, and with the reason."""

    __slots__ = ("reason",)
    reason: str

    @classmethod
    def of(cls, text: str, codes: Sequence[str]) -> str:
        """The text itself where there is no reason."""
        if not codes:
            return text
        found = cls(text)
        found.reason = reason(codes)
        return found


def number(value: float | None, digits: int = 3) -> str:
    """A dash where there is none; never a negative zero."""
    return NO_NUMBER if value is None else f"{value:z.{digits}f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    return NO_NUMBER if value is None else f"{value:+z.3f}".replace("-", MINUS)


def interval(low: float | None, high: float | None) -> str:
    return NO_NUMBER if low is None or high is None else f"{number(low)} to {number(high)}"


def share(value: float | None, digits: int = 1) -> str:
    return NO_NUMBER if value is None else f"{100 * value:.{digits}f}%"


def p_value(value: float | None) -> str:
    if value is None:
        return NO_NUMBER
    return "< 0.001" if value < 0.001 else number(value)


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def counted(count: int, noun: str) -> str:
    """``1 sample``, ``2 samples``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def short(name: str) -> str:
    """For a figure, which has no room for long ones; XML has no control characters, and matplotlib hides ``_names``."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
    shown = shown if len(shown) <= MOST_LETTERS else f"{shown[: MOST_LETTERS - 1]}…"
    return f"\N{ZERO WIDTH SPACE}{shown}" if shown.startswith("_") else shown
