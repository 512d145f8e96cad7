"""Answers as they are read: the service's own, and those of somebody else."""

import httpx

from salience_audit.errors import ApiError, Json


def checked(answer: httpx.Response) -> httpx.Response:
    """Raises ApiError, also for errors and redirects that are not the service's own."""
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
        raise ApiError(problem | {"code": problem["code"], "detail": problem["detail"]}, answer.status_code)
    except (ValueError, KeyError, TypeError):
        raise ApiError(_of_somebody_else(answer), answer.status_code) from None


def _of_somebody_else(answer: httpx.Response) -> Json:
    """The service's own errors are problem documents; this is a proxy's in front of it, or another service's."""
    status, who = answer.status_code, answer.headers.get("server", "a proxy").partition("/")[0]
    if status == 413:
        way_out = "raise its limit on request bodies (nginx: client_max_body_size 0; with proxy_request_buffering off)"
        return {"code": "proxy-body-limit", "detail": f"{who}, in front of the service, takes no such body: {way_out}."}
    if status in {502, 503, 504}:
        way_out = "ask whoever runs the service whether its API is up, and whether the proxy waits long enough"
        detail = f"{who}, in front of the service, got no answer from it ({status}): {way_out}."
        return {"code": "proxy-no-answer", "detail": detail}
    kind = answer.headers.get("content-type", "nothing")
    detail = f"{answer.url} answered {status} with {kind}: is it the address of this service?"
    return {"code": "no-problem-document", "detail": detail}


def document_of(answer: httpx.Response) -> Json:
    try:
        document: Json = answer.json()
    except ValueError:
        detail = f"{answer.url} answered something that is no JSON: is it the address of this service?"
        raise ApiError({"code": "no-json", "detail": detail}, answer.status_code) from None
    return document
