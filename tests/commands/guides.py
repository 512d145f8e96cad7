"""What the README tells to type. `tests/docs` runs it, and the guide, as they stand."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def section(title: str) -> str:
    """Of the README."""
    return re.split(r"^##+ ", (ROOT / "README.md").read_text().partition(title)[2], flags=re.MULTILINE)[0]


WALK = section("### From the command line")


def commands_of(text: str) -> str:
    """Its shell blocks, as a script with a protocol that takes seconds."""
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    return script.replace("--sample-limit 16", "--sample-limit 6 --protocol small.json")
