"""The words of a report: titles, questions, directions, and how numbers are written."""

from collections.abc import Sequence

from app.domain.vocabulary import PAIRS, MeasureName, UndefinedReason

TITLES: dict[str, str] = {
    MeasureName.ENTROPY: "Entropy",
    MeasureName.NOISE_REACTION: "Noise reaction",
    MeasureName.GEOMETRIC_RESILIENCE: "Geometric resilience",
    MeasureName.DEGRADATION: "Degradation",
    MeasureName.STABILITY: "Stability",
}
SUBSCRIPTS: dict[str, str] = {
    MeasureName.ENTROPY: "E",
    MeasureName.NOISE_REACTION: "N",
    MeasureName.GEOMETRIC_RESILIENCE: "G",
    MeasureName.DEGRADATION: "D",
    MeasureName.STABILITY: "S",
}
"""Of the paper's symbols."""
QUESTIONS: dict[str, str] = {
    MeasureName.ENTROPY: "Is the salience focused? 0: all of it in one cell of the map; 1: spread evenly.",
    MeasureName.NOISE_REACTION: "Does salt-and-pepper noise move the map? SSIM of the maps of the clean and the noisy "
    "image; 1: it does not move.",
    MeasureName.GEOMETRIC_RESILIENCE: "Does the map follow the image? SSIM of the clean map and the map of the "
    "transformed image, carried back. It says something only where it stands above its control, the same SSIM without "
    "carrying back.",
    MeasureName.DEGRADATION: "Does what the model points at matter to it? SSIM of the clean map and the map of an "
    "image in which the salient part, or all the rest, was blurred away.",
    MeasureName.STABILITY: "Do independent trainings look at the same things? Mean SSIM of the maps of all pairs of "
    "runs.",
}
DIRECTIONS: dict[str, str] = {
    MeasureName.ENTROPY: "lower = more focused",
    MeasureName.NOISE_REACTION: "higher = steadier",
    MeasureName.GEOMETRIC_RESILIENCE: "higher = follows the image",
    MeasureName.DEGRADATION: "non-salience removed: higher is better; salience removed: lower",
    MeasureName.STABILITY: "higher = the recipe converges to the same salience",
}
REASONS: dict[str, str] = {
    UndefinedReason.CONSTANT_MAP: "the map of the clean image is the same everywhere, so it shows no salience",
    UndefinedReason.CONSTANT_VIEW_MAP: "the map of the changed image is the same everywhere, so it shows no salience",
    UndefinedReason.NONFINITE_OUTPUT: "the model put out numbers that are not finite",
    UndefinedReason.NO_TARGET: "the sample has no label that is one of the model's classes, so there is no target",
}
_OF_A_RUN = "the map of one of the runs is the same everywhere, so it shows no salience"
REASONS_OF_RUNS: dict[str, str] = {
    UndefinedReason.CONSTANT_MAP: _OF_A_RUN,
    UndefinedReason.CONSTANT_VIEW_MAP: _OF_A_RUN,
}
_VIEWS = {"all": "all transformations", PAIRS: "pairs of runs"}

MINUS = "\N{MINUS SIGN}"
"""A true one, so that screen readers say it."""
NO_NUMBER = "\N{EN DASH}"
MOST_LETTERS = 28


def view_title(view: str) -> str:
    """``rotate_90_cw`` -> ``rotate 90 cw``; ``noise@0.05`` -> ``noise 5%``."""
    if view.startswith("noise@"):
        return f"noise {100 * float(view.removeprefix('noise@')):g}%"
    return _VIEWS.get(view) or view.replace("non_", "non-").replace("_", " ")


def headline(measure: str, view: str) -> str:
    """A number's name within a sentence: ``entropy (spatial)``; stability has one view only."""
    title = TITLES[measure].lower()
    return title if view == PAIRS else f"{title} ({view_title(view)})"


def number(value: float | None, digits: int = 3) -> str:
    """A dash where there is none; never a negative zero."""
    return NO_NUMBER if value is None else f"{value:z.{digits}f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    return NO_NUMBER if value is None else f"{value:+z.3f}".replace("-", MINUS)


def interval(low: float | None, high: float | None) -> str:
    return NO_NUMBER if low is None or high is None else f"{number(low)} to {number(high)}"


def share(value: float | None) -> str:
    return NO_NUMBER if value is None else f"{100 * value:.1f}%"


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
