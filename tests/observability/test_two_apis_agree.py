"""What ``/metrics`` says of the service comes from the database: the same in every API process."""

import re

from tests.observability.conftest import Watched

OWN = re.compile(r"salience_audit_http|python_|process_")


def scraped(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#") and not OWN.match(line)]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_two_apis_agree(watched: Watched) -> None:
    one, two = (client.get("/metrics").text for client in watched.clients)
    first, second = scraped(one), scraped(two)
    moving = {"salience_audit_samples_per_second"}
    assert {name: value for name, value in first.items() if name not in moving} == {
        name: value for name, value in second.items() if name not in moving
    }
    assert first['salience_audit_audits{status="succeeded"}'] == 1
    assert first["salience_audit_samples_scored_total"] == 8
    assert first["salience_audit_shard_seconds_count"] == 1
    assert first["salience_audit_shard_seconds_sum"] > 0
    assert first["salience_audit_busy_workers"] == 0
    assert first['salience_audit_resources{kind="model",status="ready"}'] == 1
    assert (
        'salience_audit_http_request_duration_seconds_count{method="POST",route="/v1/audits",status="202"} 1.0' in one
    )
    assert "watched" not in one
