"""The alert rules name metrics that there are, with labels that they have."""

import re
from pathlib import Path

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
NAME = re.compile(r"salience_audit_\w+")
SELECTED = re.compile(r"(salience_audit_\w+)\{(\w+)")
PRESENT_WITH_A_GPU = {"salience_audit_worker_gpu_memory_used_bytes", "salience_audit_worker_gpu_memory_total_bytes"}


def test_every_rule_asks_for_what_there_is(service: httpx.Client) -> None:
    service.get("/v1/models")
    labels: dict[str, set[str]] = {}
    declared = set()
    for family in text_string_to_metric_families(service.get("/metrics").text):
        declared.add(family.name)
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert len(rules) >= 5
    for rule in rules:
        assert set(NAME.findall(rule["expr"])) <= labels.keys() | (PRESENT_WITH_A_GPU & declared), rule["alert"]
        assert all(label in labels[name] for name, label in SELECTED.findall(rule["expr"])), rule["alert"]
        assert {"summary", "action"} <= rule["annotations"].keys()
        assert rule["labels"]["severity"] in {"warning", "critical"}
