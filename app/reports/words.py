"""The words of a report: titles, questions, directions, and how numbers are written."""

from collections.abc import Sequence

from app.domain.vocabulary import MeasureName

TITLES: dict[str, str] = {
    MeasureName.ENTROPY: "Entropy",
    MeasureName.NOISE_REACTION: "Noise reaction",
    MeasureName.GEOMETRIC_RESILIENCE: "Geometric resilience",
    MeasureName.DEGRADATION: "Degradation",
    MeasureName.STABILITY: "Stability",
}
SYMBOLS: dict[str, str] = {
    MeasureName.ENTROPY: "S_E",
    MeasureName.NOISE_REACTION: "S_N",
    MeasureName.GEOMETRIC_RESILIENCE: "S_G",
    MeasureName.DEGRADATION: "S_D",
    MeasureName.STABILITY: "S_S",
}
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


MINUS = "\N{MINUS SIGN}"
"""A true one, so that screen readers say it."""
NO_NUMBER = "\N{EN DASH}"
MOST_LETTERS = 28


def view_title(view: str) -> str:
    """``rotate_90_cw`` -> ``rotate 90 cw``; ``noise@0.05`` -> ``noise 5%``."""
    if view.startswith("noise@"):
        return f"noise {100 * float(view.removeprefix('noise@')):g}%"
    return view.replace("non_", "non-").replace("_", " ")


def number(value: float | None, digits: int = 3) -> str:
    """A dash where there is none."""
    return NO_NUMBER if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    return NO_NUMBER if value is None else f"{value:+.3f}".replace("-", MINUS)


def interval(low: float | None, high: float | None) -> str:
    return NO_NUMBER if low is None or high is None else f"{number(low)} to {number(high)}"


def share(value: float | None) -> str:
    return NO_NUMBER if value is None else f"{100 * value:.1f}%"


def p_value(value: float | None) -> str:
    if value is None:
        return NO_NUMBER
    return "< 0.001" if value < 0.001 else number(value)


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def short(name: str) -> str:
    """For a figure, which has no room for long ones; XML has no control characters, and matplotlib hides ``_names``."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
    shown = shown if len(shown) <= MOST_LETTERS else f"{shown[: MOST_LETTERS - 1]}…"
    return f"\N{ZERO WIDTH SPACE}{shown}" if shown.startswith("_") else shown
