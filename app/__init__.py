"""The front end and everything that both processes share; installs and runs without torch."""

from importlib.metadata import version

__version__ = version("salience-audit")
