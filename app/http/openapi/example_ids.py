"""Made-up ids, one kind a pattern, that stand in all examples: to be replaced by ids that the service answered."""

_PREFIX = "01a20000-0000-7000-8000-"

DATASET = f"{_PREFIX}da7a00000001"
MODELS = [f"{_PREFIX}0de10000000{place}" for place in (1, 2, 3)]
MAP_SET = f"{_PREFIX}3a9500000001"
RUN_GROUP = f"{_PREFIX}609000000001"
GATE = f"{_PREFIX}6a7e00000001"
AUDITS = [f"{_PREFIX}a0d10000000{place}" for place in (1, 2)]
CONNECTION = f"{_PREFIX}c0e700000001"
HOOK = f"{_PREFIX}400c00000001"
DELIVERY = f"{_PREFIX}de1100000001"
POLICY = f"{_PREFIX}901c00000001"
POLICY_RUN = f"{_PREFIX}901c00000002"
COMPARISON = f"{_PREFIX}c03a00000001"
