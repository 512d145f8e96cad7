"""Colours: of a figure that stands alone, and of one that takes them from the page around it, light or dark."""

from dataclasses import dataclass

DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class Palette:
    """Colours as matplotlib takes them."""

    ink: str
    muted: str
    grid: str
    paper: str
    series: tuple[str, ...]

    def colour(self, index: int) -> str:
        return self.series[index % len(self.series)]

    @staticmethod
    def dash(index: int) -> str:
        """Told apart without colour, too."""
        return DASHES[index % len(DASHES)]

    @staticmethod
    def marker(index: int) -> str:
        return MARKERS[index % len(MARKERS)]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours ``#rrggbb``, 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


LIGHT = Palette(
    ink="#1b2430",
    muted="#566173",
    grid="#d9dfe7",
    paper="#ffffff",
    series=(
        "#0b5fbd",
        "#b3430c",
        "#0a7358",
        "#7439c4",
        "#806000",
        "#ad2165",
        "#2a6680",
        "#5a5a5a",
        "#4f6b00",
        "#8a3b12",
    ),
)
DARK_SERIES = (
    "#6cb2ff",
    "#ff9d66",
    "#4fd1ae",
    "#c09bff",
    "#e2bd4c",
    "#ff8fc0",
    "#7cc7e0",
    "#b8b8b8",
    "#b9d65c",
    "#e0a58a",
)
"""The same on a dark page, in the same order."""

VARIABLES = Palette(
    ink="#5a11a0",
    muted="#5a11a1",
    grid="#5a11a2",
    paper="#5a11a3",
    series=tuple(f"#5a11b{index:x}" for index in range(len(LIGHT.series))),
)
"""Colours that nothing else has: each becomes a variable of the page's style sheet."""


def css_names() -> dict[str, str]:
    """Each colour of VARIABLES and the variable that takes its place."""
    single = {getattr(VARIABLES, name): f"var(--{name})" for name in ("ink", "muted", "grid", "paper")}
    return single | {colour: f"var(--series-{index})" for index, colour in enumerate(VARIABLES.series)}
