"""What stands out, on numbers that were written by hand."""

from typing import Any

from app.reports.findings import ORIGIN, findings
from app.reports.job import AuditFacts, ReportJob
from tests.reports.small_reports import job, summary

Json = dict[str, Any]


def sentences(of: ReportJob) -> list[str]:
    return [sentence for _, found in findings(of) for sentence in found]


def test_nothing_is_said_of_nothing() -> None:
    assert sentences(job()) == []


def test_accuracy() -> None:
    made = job(accuracy=0.9375)
    assert sentences(made) == ["Clean accuracy is 93.8%. Of 10 images that says little."]
    assert sentences(made.model_copy(update={"sample_count": 20})) == ["Clean accuracy is 93.8%."]


def test_the_worst_group_is_named_where_its_interval_is_apart() -> None:
    """Of entropy, high is worse: a at 0.94 is apart from 0.9, b at 0.915 is not, c at 0.95 is worst."""
    total = summary("entropy", "spatial", 0.9)
    groups = {"label/a": 0.94, "label/b": 0.915, "source/c": 0.95, "source/d": 0.2}
    found = sentences(job(total, *(summary("entropy", "spatial", mean, name) for name, mean in groups.items())))
    assert found == ["Entropy (spatial) is worst for source c: 0.950 against 0.900 in total."]


def test_a_group_of_several_runs_is_worst_where_it_is_apart_in_each() -> None:
    """Label a is apart in both runs, b in one of them only, though its mean is worse."""
    means = {"total/macro": (0.9, 0.8), "label/a": (0.95, 0.85), "label/b": (0.9, 0.97)}
    rows = [
        summary("entropy", "spatial", mean, group, model_id=run)
        for group, both in means.items()
        for run, mean in zip(("m", "n"), both, strict=True)
    ]
    found = sentences(of_runs(*rows))
    assert found == ["Entropy (spatial) is worst for label a: 0.900 against 0.850 in total, apart in every run."]


def of_runs(*rows: Json) -> ReportJob:
    made = job(*rows)
    series = made.all_series[0].model_copy(update={"model_ids": ("m", "n")})
    return made.model_copy(update={"all_series": [series]})


def test_audits_that_were_not_made_alike() -> None:
    """By other versions of something, or on another kind of processor."""
    made = job()
    documents = {
        name: made.documents["1"] | {"software": {"torch": version, "scipy": "1", "processor": processor} | more}
        for name, version, processor, more in (("1", "2.0", "EPYC", {}), ("2", "2.1", "H200", {"driver": "580"}))
    }
    audits = {
        name: AuditFacts(name=f"audit {name}", device_class=device, finished_at=None, layers={})
        for name, device in (("1", "cpu"), ("2", "gpu"))
    }
    assert sentences(made.model_copy(update={"documents": documents, "audits": audits})) == [
        f"The audits were made on different processors: EPYC for audit 1 and H200 for audit 2. {ORIGIN}",
        f"The audits were made with different versions of torch: 2.0 for audit 1 and 2.1 for audit 2. {ORIGIN}",
        f"The audits were run on different kinds of processors: cpu for audit 1 and gpu for audit 2. {ORIGIN}",
    ]
    alike = dict.fromkeys(documents, documents["1"])
    one_kind = dict.fromkeys(audits, audits["1"])
    assert sentences(made.model_copy(update={"documents": alike, "audits": one_kind})) == []


def test_accuracies_are_equal_within_two_points() -> None:
    """The threshold stands in the sentence."""
    made = job(accuracy=0.95)
    other = made.all_series[0].model_copy(update={"name": "other", "model_ids": ("n",)})
    for accuracy, sentence in (
        (0.97, "Accuracy does not tell them apart: 95.0% (net) and 97.0% (other), within 2 points of each other."),
        (0.98, "They are not equally accurate: 95.0% (net) and 98.0% (other), more than 2 points apart."),
    ):
        row = {"condition": "clean", "model_id": "n", "accuracy": accuracy}
        document = made.documents["1"] | {"performance": [*made.documents["1"]["performance"], row]}
        both = made.model_copy(update={"all_series": [made.all_series[0], other], "documents": {"1": document}})
        told = sentences(ReportJob.model_validate(both.model_dump() | {"sample_count": 20}))
        assert told == [sentence]
