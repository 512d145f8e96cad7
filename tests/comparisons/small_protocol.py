"""What the audits of these tests look at: few views of few samples, since audits cost time."""

from typing import Any

SAMPLES = 14
PROTOCOL: dict[str, Any] = {
    "micro_batch": 4,
    "measures": {
        "entropy": {},
        "noise_reaction": {"curve": []},
        "geometric_resilience": {"groups": ["flips"]},
        "degradation": {},
    },
}
COLUMNS = 2 + 1 + 3 + 2
