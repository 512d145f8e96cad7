"""How many processes decode beside a child's passes: as many as the cores have to spare."""

import pytest

from app.domain.vocabulary import DeviceClass
from worker.machine.cores import core_count, decoder_count


@pytest.mark.parametrize(
    ("wanted", "cores", "of_cpu", "of_gpu"),
    [
        (None, 1, 0, 0),
        (None, 2, 0, 0),
        (None, 3, 1, 1),
        (None, 4, 2, 2),
        (None, 16, 8, 14),
        (0, 16, 0, 0),
        (5, 2, 5, 5),
    ],
)
def test_decoders_follow_the_cores(wanted: int | None, cores: int, of_cpu: int, of_gpu: int) -> None:
    """Two cores decode in the child's own thread, as before; an operator's number stands."""
    found = [decoder_count(wanted, cores, of) for of in (DeviceClass.CPU, DeviceClass.GPU)]
    assert found == [of_cpu, of_gpu]


def test_threads_are_the_cores() -> None:
    assert core_count(3) == 3
    assert core_count(0) >= 1
