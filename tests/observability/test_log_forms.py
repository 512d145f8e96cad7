"""Formatters, ids and redaction, alone."""

import json
import logging

import pytest

from app.observability.log_context import bind, bound, current_ids
from app.observability.logs import JsonFormatter, TextFormatter
from app.observability.redaction import Redactor
from app.settings import Settings


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("some.logger", logging.WARNING, "file.py", 1, message, arguments, None)
    made.__dict__.update(extra)
    return made


class TestForms:
    def test_json(self) -> None:
        with bound(request_id="r1", audit_id="a1"):
            line = JsonFormatter(Redactor()).format(record("took %d\n", 3, facts={"status": 200}))
        fields = json.loads(line)
        assert "\n" not in line
        assert fields.pop("time").endswith("Z")
        assert fields == {
            "level": "WARNING",
            "logger": "some.logger",
            "message": "took 3\n",
            "request_id": "r1",
            "audit_id": "a1",
            "status": 200,
        }

    def test_text_stays_on_its_line(self) -> None:
        with bound(shard_id="s1"):
            line = TextFormatter(Redactor()).format(record("two\nlines", facts={"status": 200}))
        assert line.endswith("some.logger two\\nlines shard_id=s1 status=200")

    def test_an_exception_is_redacted(self) -> None:
        error = ValueError("no luck with hunter2-hunter2")
        caught = (ValueError, error, None)
        failed = record("failed", exc_info=caught)
        for form in (JsonFormatter, TextFormatter):
            line = form(Redactor(["hunter2-hunter2"])).format(failed)
            assert "ValueError: no luck with ***" in line
            assert "hunter2" not in line


class TestContext:
    def test_what_is_bound_inside_ends_with_the_block(self) -> None:
        with bound(request_id="r"):
            bind(audit_id="a")
            with bound(shard_id="s"):
                assert current_ids() == {"request_id": "r", "audit_id": "a", "shard_id": "s"}
            assert current_ids() == {"request_id": "r", "audit_id": "a"}
        assert current_ids() == {}

    def test_only_known_ids(self) -> None:
        with pytest.raises(ValueError, match="password"):
            bind(password="x")
        assert current_ids() == {}


class TestRedaction:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("postgresql://me:pass@host/db", "postgresql://***@host/db"),
            ("redis://:p@ss@host:6379/0", "redis://***@host:6379/0"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            ("{'authorization': 'Basic dXNlcjpwYXNz'}", "{'authorization': 'Basic ***'}"),
            ("(b'authorization', b'Bearer abcdefghijk')", "(b'authorization', b'Bearer ***')"),
            ("GET /x?token=abc&limit=3", "GET /x?token=***&limit=3"),
            ("https://s3/x?X-Amz-Signature=12ab&a=b", "https://s3/x?X-Amz-Signature=***&a=b"),
            ("host=h password=hunter dbname=d", "host=h password=*** dbname=d"),
            ("a token of thanks: no bearer came", "a token of thanks: no bearer came"),
            ("http://127.0.0.1:8000/docs", "http://127.0.0.1:8000/docs"),
        ],
    )
    def test_what_looks_like_a_credential(self, text: str, shown: str) -> None:
        assert Redactor()(text) == shown

    def test_what_the_settings_hold(self) -> None:
        settings = Settings(
            database_url="postgresql+psycopg://u:top%2Fsecret@h/d",
            broker_url="redis://:broker-pass@h/0",
            aws_secret_access_key="s3-secret+key",
            otel_exporter_otlp_headers="x-key=collector,y=other-key",
        )
        redact = Redactor(settings.secrets())
        for secret in ("top%2Fsecret", "top/secret", "broker-pass", "s3-secret+key", "collector", "other-key"):
            assert redact(f"<{secret}>") == "<***>"
            assert secret not in repr(settings)
