"""``/v1/gates``."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.db.tables import GateRow
from app.domain.gates import parser as condition_parser
from app.gates.repository import get_gate, insert_gate, list_gates
from app.gates.schemas import Gate, GateId, GateRequest
from app.gates.service import gate_digest
from app.http.authorization import READS, WRITES
from app.http.dependencies import SessionDep
from app.http.idempotency import IdempotencyDep
from app.http.links import link
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.naming.filters import VersionFilter
from app.naming.schemas import CHANGE_PROBLEMS, VersionedChange
from app.naming.versions import change

router = APIRouter(prefix="/v1/gates", tags=["gates"])

DESCRIPTION = f"""When a release shall hang on the numbers: conditions that an audit's numbers must meet. An audit that
names the gate answers with a verdict at `GET /v1/audits/{{id}}/verdict`, so that a CI job can hold a release. A mistake
is answered with 422 and the character where it stands.

```
{(condition_parser.__doc__ or "").strip()}
```

`(ci)`: the whole 95% interval must meet the condition; where it straddles the limit the outcome is `inconclusive`.
`(warn)`: the condition is judged and shown, but cannot fail the gate. A missing number, or an interval for which there
are too few samples, fails its condition, unless it says `(missing ok)`. `(meaningful)`: a number that says nothing
counts as missing (its `says_nothing` in the results names why); `"require": "meaningful"` marks every condition so.
*Worse* is higher for entropy, salience_removed, flip_rate and n_undefined, lower for all else; `not worse` is refused
of std, control_mean and n, and of accuracy, auroc and flip_rate on salience_removed images, where neither more nor less
is worse. Numbers within 1e-9 of each other are equal.
Several models count as the mean of their scores, sample by sample; `[worst model]` looks at each.
"""


def _show(row: GateRow) -> Gate:
    return Gate(
        id=row.id,
        name=row.name,
        version=row.version,
        description=row.about,
        metadata=row.extra,
        tags=row.tags,
        aliases=row.aliases,
        conditions=row.conditions,
        digest=gate_digest(row.conditions),
        created_at=row.created_at,
    )


@router.post(
    "",
    dependencies=[WRITES],
    status_code=201,
    summary="Define a gate",
    description=DESCRIPTION,
    responses=problem_responses(400, 413, 415, 422),
)
def create_gate(request: GateRequest, session: SessionDep, response: Response, idempotency: IdempotencyDep) -> Gate:
    shown = idempotency.earlier(session, request, Gate)
    if shown is None:
        shown = _show(insert_gate(session, request))
        idempotency.remember(session, shown.id, shown)
        session.commit()
    response.headers["Location"] = link(f"/v1/gates/{shown.id}")
    return shown


@router.get("", dependencies=[READS], summary="List gates, the newest first", responses=problem_responses(422))
def get_gates(session: SessionDep, page: PageDep, wanted: Annotated[VersionFilter, Depends()]) -> Page[Gate]:
    """To find an id again, or the gate whose digest an audit shows. Each has its conditions."""
    rows = list_gates(session, page.limit, page.after_id(), wanted)
    return make_page(rows, _show, lambda row: [str(row.id)])


@router.get("/{gate_id}", dependencies=[READS], summary="Read a gate", responses=problem_responses(404))
def get_one_gate(gate_id: GateId, session: SessionDep) -> Gate:
    """To see what a gate asks before an audit names it: its conditions in their canonical form."""
    return _show(get_gate(session, gate_id))


@router.patch("/{gate_id}", dependencies=[WRITES], summary="Change a gate's name and words", responses=CHANGE_PROBLEMS)
def change_gate(gate_id: GateId, request: VersionedChange, session: SessionDep) -> Gate:
    """Its name, description, metadata, tags and aliases; what is left out stays. Its conditions never change."""
    row = get_gate(session, gate_id, lock=True)
    change(session, row, request)
    session.commit()
    return _show(row)


@router.delete(
    "/{gate_id}", dependencies=[WRITES], status_code=204, summary="Delete a gate", responses=problem_responses(404)
)
def delete_gate(gate_id: GateId, session: SessionDep) -> None:
    """When no further audit shall name it: conditions cannot be changed, so define a new gate and delete the old one.
    Audits that named it keep its conditions and their verdict."""
    session.delete(get_gate(session, gate_id))
    session.commit()
