"""``python -m tests.fuzz.coverage_guided SECONDS``: Atheris looks for bytes that make a judge fail."""

import sys

import atheris

with atheris.instrument_imports(include=["worker.weights", "worker.archives", "tests.fuzz.judges"]):
    from tests.fuzz.judges import run_all


def main(seconds: str) -> None:
    """Ends with 0 where nothing was found; bytes that take a judge ten seconds are a finding too."""
    limits = (f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10", "-rss_limit_mb=4096")
    atheris.Setup([sys.argv[0], *limits, "-verbosity=0"], run_all)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1])
