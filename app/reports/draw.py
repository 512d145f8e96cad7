"""The process that draws: a job on standard input, a file on standard output.

    python -m app.reports.draw page
    python -m app.reports.draw svg NAME
    python -m app.reports.draw png NAME

It has neither a database nor the service's environment.
"""

import sys

from app.reports.figures import drawings
from app.reports.figures.rendering import as_png, as_svg
from app.reports.job import ReportJob
from app.reports.page import page
from app.reports.renderer import UNKNOWN_FIGURE


def main(arguments: list[str]) -> int:
    """Exit status."""
    job = ReportJob.model_validate_json(sys.stdin.buffer.read())
    form, *names = arguments
    if form == "page":
        sys.stdout.buffer.write(page(job).encode())
        return 0
    made = drawings(job)
    drawing = made.get(names[0])
    if drawing is None:
        sys.stdout.write(", ".join(made))
        return UNKNOWN_FIGURE
    sys.stdout.buffer.write(as_svg(drawing) if form == "svg" else as_png(drawing))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
