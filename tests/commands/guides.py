"""What the README and the guide tell to type."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "client.md").read_text()


def section(title: str) -> str:
    """Of the README."""
    return re.split(r"^##+ ", (ROOT / "README.md").read_text().partition(title)[2], flags=re.MULTILINE)[0]


WALK = section("### From the command line")


def commands_of(text: str) -> str:
    """Indented blocks, as a script that runs as it stands, but for a protocol that takes seconds."""
    script = "\n".join(re.findall(r"^    (.*)$", re.sub(r"```python.*?```", "", text, flags=re.DOTALL), re.MULTILINE))
    return script.replace("--sample-limit 16", "--sample-limit 6 --protocol small.json")


def python_of(text: str) -> str:
    """Fenced blocks, as a program."""
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
