"""What the owner of a map set should know of how it was taken, in sentences."""

from collections.abc import Iterator

from app.domain.vocabulary import MapDoubt
from worker.intake.arrivals import Skipped
from worker.intake.map_rows import MapRows
from worker.intake.notes import counted, skipped_notes


def notes_of_maps(skipped: Skipped, rows: MapRows) -> Iterator[str]:
    """What was left out, what was read otherwise than it came, and what gave no map."""
    yield from skipped_notes(skipped)
    facts = rows.taken.facts
    one, many = "map has values below 0, which were taken as 0.", "maps have values below 0, which were taken as 0."
    yield from counted(facts["negative"], one, many)
    one, many = "map is constant: it shows no salience.", "maps are constant: they show no salience."
    yield from counted(facts["constant"], one, many)
    what = "brought down to a million cells by area."
    yield from counted(facts["larger"], f"map was {what}", f"maps were {what}")
    what = "in colours, read by how bright they are: a heat map's colours do not rise so. Send numbers, or greys."
    yield from counted(facts[MapDoubt.COLOURS], f"map is {what}", f"maps are {what}")
    what = "light in its corners and over most of it. If it is dark strokes on paper, send them light on black."
    yield from counted(facts[MapDoubt.DARK_ON_LIGHT], f"map is {what}", f"maps are {what}")
    if rows.reasons:
        reasons = ", ".join(f"{count} {code}" for code, count in rows.reasons.most_common())
        yield f"{rows.unreadable} gave no map ({reasons}): see the map set's maps."
