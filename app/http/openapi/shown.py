"""The OpenAPI document as Swagger UI shows it: an example a refusal, and all refusals on one page of their own."""

from collections.abc import Iterator
from copy import deepcopy
from importlib.resources import files
from typing import Any, NamedTuple

from markupsafe import Markup

from app.http.openapi.problem_catalogue import ANYWHERE, CATALOGUE
from app.http.problems import MEDIA_TYPE

Json = dict[str, Any]


class Refusal(NamedTuple):
    """A way in which a route says no."""

    status: str
    code: str
    detail: str


class Refusing(NamedTuple):
    """A route and its refusals, without those that any request may meet."""

    operation_id: str
    name: str
    summary: str
    refusals: list[Refusal]


def shown(document: Json, refusals_address: str) -> Json:
    """A copy with one example for each status that a route refuses with, and a link to all of them.

    What any request may be answered is left to that page.
    """
    copy = deepcopy(document)
    for operations in copy["paths"].values():
        for operation in operations.values():
            _shorten(operation, f"{refusals_address}#{operation['operationId']}")
    return copy


def _shorten(operation: Json, address: str) -> None:
    answers = operation["responses"]
    for status in [status for status, answer in answers.items() if MEDIA_TYPE in answer.get("content", {})]:
        problems = answers[status]["content"][MEDIA_TYPE]
        own = [one for code, one in problems.pop("examples").items() if code not in ANYWHERE]
        if own:
            problems["example"] = own[0]["value"]
        else:
            del answers[status]
    operation["description"] = f"{operation.get('description', '')}\n\n[All refusals]({address})".lstrip()


def refusals_page(document: Json) -> str:
    """HTML: what any request may be refused with, then what each route refuses."""
    routes = list(_refusing(document))
    anywhere = [Refusal(str(CATALOGUE[code][0]), code, CATALOGUE[code][1]) for code in ANYWHERE]
    parts = [_HEADING.format(id="anywhere", name="Any request"), _table(anywhere)]
    for route in routes:
        own = [one for one in route.refusals if one.code not in ANYWHERE]
        parts += [_HEADING.format(id=route.operation_id, name=route.name), _PARAGRAPH.format(route.summary)]
        parts.append(_table(own) if own else _PARAGRAPH.format("Nothing beside what any request may meet."))
    shell = (files("app.http.openapi.swagger_files") / "refusals.html").read_text(encoding="utf-8")
    return shell.replace("<!-- refusals -->", Markup("\n").join(parts))


# Formatting escapes what is put in.
_HEADING = Markup('<h2 id="{id}">{name}</h2>')
_PARAGRAPH = Markup("<p>{}</p>")
_ROW = Markup('<tr><td>{0.status}</td><th scope="row"><code>{0.code}</code></th><td>{0.detail}</td></tr>')
_TABLE = Markup(
    '<div class="scroll" tabindex="0" role="region" aria-label="Refusals"><table><thead><tr><th scope="col">status</th>'
    '<th scope="col">code</th><th scope="col">detail, for example</th></tr></thead><tbody>{}</tbody></table></div>'
)


def _table(refusals: list[Refusal]) -> Markup:
    return _TABLE.format(Markup("\n").join(_ROW.format(one) for one in refusals))


def _refusing(document: Json) -> Iterator[Refusing]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield Refusing(
                operation["operationId"], f"{method.upper()} {path}", operation["summary"], list(_refusals(operation))
            )


def _refusals(operation: Json) -> Iterator[Refusal]:
    for status, answer in sorted(operation["responses"].items()):
        examples = answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        yield from (Refusal(status, code, one["value"]["detail"]) for code, one in examples.items())
