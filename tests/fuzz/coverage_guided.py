"""``python -m tests.fuzz.coverage_guided SECONDS``: Atheris looks for bytes that make a judge fail."""

import sys

import atheris

with atheris.instrument_imports(include=["worker.runtime", "tests.fuzz.judges"]):
    from tests.fuzz.judges import run_all


def main(seconds: str) -> None:
    """Ends with 0 where nothing was found."""
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=4096", "-verbosity=0"], run_all)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1])
