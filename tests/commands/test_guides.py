"""The README's walk and the guide run in their order."""

import sys

from tests.commands.conftest import Checkout
from tests.commands.guides import GUIDE, WALK, commands_of, python_of


def test_the_walk_of_the_readme(checkout: Checkout, walked: str) -> None:
    assert "Gate release: passed" in walked
    assert "noise_reaction" in checkout.run(sys.executable, "-", text=python_of(WALK))


def test_the_guide(checkout: Checkout, walked: str) -> None:
    shown = checkout.run("bash", "-e", text=commands_of(GUIDE))
    assert shown.count("Gate release: passed") == 1
    told = checkout.run(sys.executable, "-", text=python_of(GUIDE))
    assert "passed" in told
    assert "422 validation-error" in told
    assert "end {'status': 'succeeded', 'problem': None}" in told
