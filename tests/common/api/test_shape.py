"""One shape for every error, whoever found it (contract, section 6)."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import ApiError, InvalidRequest, RateLimited, ServiceUnavailable

SECRET = "the database's password is hunter2"
RAISED: dict[str, Exception] = {
    "crash": RuntimeError(SECRET),
    "http404": Http404(SECRET),
    "forbidden": PermissionDenied(SECRET),
    "suspicious": SuspiciousOperation(SECRET),
    "too-big": RequestDataTooBig(SECRET),
    "away": OperationalError(SECRET),
    "closed": InterfaceError(SECRET),
    "invalid": InvalidRequest("The cat is wrong", details={"cat": "Is a dog"}),
    "extra": ApiError("No", extra={"credits_needed": 5}, headers={"X-Extra": "1"}),
    "limited": RateLimited(headers={"Retry-After": "7"}),
    "throttled": exceptions.Throttled(wait=6.2),
    "unavailable": ServiceUnavailable(retry_after=9),
    "method": exceptions.MethodNotAllowed("GET"),
    "not-acceptable": exceptions.NotAcceptable(),
    "list": exceptions.ValidationError("Just a sentence."),
    "several": exceptions.ValidationError({"b_b": ["First.", "Second."], "a": ["Other"]}),
    "required": exceptions.ValidationError(
        {"the_cat": [exceptions.ErrorDetail("This field is required.", code="required")]}
    ),
    "must": exceptions.ValidationError({"the_cat": ["Must be a string"]}),
    "general": exceptions.ValidationError({"non_field_errors": ["Not together."], "a": ["x"]}),
    "nested": exceptions.ValidationError({"urls": {"1": ["Bad entry."]}}),
}


class RaisesView(APIView):
    """Raises by name inside DRF."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []

    def get(self, request: Request, name: str) -> Response:
        raise RAISED[name]


def raises(request: HttpRequest, name: str) -> HttpResponse:
    """Raises by name in a plain Django view."""
    raise RAISED[name]


def plain(request: HttpRequest, status: int) -> HttpResponse:
    """A page of Django's own."""
    return HttpResponse("<h1>Nope</h1>", status=status)


urlpatterns = [
    path("api/raises/<str:name>/", RaisesView.as_view()),
    path("api/plain/raises/<str:name>/", raises),
    path("api/plain/<int:status>/", plain),
    path("", include("config.urls")),
]
handler404 = "common.api.shape.not_found"


@pytest.fixture(autouse=True)
def _here(settings):
    settings.ROOT_URLCONF = __name__


def shaped(answer, status: int, code: str):
    """The body, of which everything that is always so was looked at."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.json()
    assert body["success"] is False
    assert body["code"] == code
    assert isinstance(body["error"], str)
    assert body["error"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert SECRET not in answer.text
    return body


@pytest.mark.parametrize("where", ["/api/raises/", "/api/plain/raises/"])
@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("crash", 500, "internal_error"),
        ("http404", 404, "not_found"),
        ("forbidden", 403, "permission_denied"),
        ("away", 503, "service_unavailable"),
        ("closed", 503, "service_unavailable"),
    ],
)
def test_inside_and_outside_drf(api, where, name, status, code):
    answer = api().get(f"{where}{name}/")
    body = shaped(answer, status, code)
    assert "details" not in body
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("too-big", 413, "request_too_large"),
        ("method", 405, "method_not_allowed"),
        ("not-acceptable", 406, "not_acceptable"),
        ("limited", 429, "rate_limited"),
        ("throttled", 429, "rate_limited"),
        ("unavailable", 503, "service_unavailable"),
        ("list", 400, "invalid_request"),
    ],
)
def test_drf(api, name, status, code):
    shaped(api().get(f"/api/raises/{name}/"), status, code)


@pytest.mark.parametrize(("name", "wait"), [("limited", "7"), ("throttled", "7"), ("away", "2")])
def test_retry_after(api, name, wait):
    assert api().get(f"/api/raises/{name}/").headers["Retry-After"] == wait


@pytest.mark.parametrize(
    ("name", "error", "details"),
    [
        ("invalid", "The cat is wrong", {"cat": "Is a dog"}),
        ("several", "First", {"b_b": "First", "a": "Other"}),
        ("required", "The cat is required", {"the_cat": "This field is required"}),
        ("must", "The cat must be a string", {"the_cat": "Must be a string"}),
        ("general", "Not together", {"a": "x"}),
        ("nested", "Bad entry", {"urls": "Bad entry"}),
    ],
)
def test_one_string_a_field(api, name, error, details):
    body = shaped(api().get(f"/api/raises/{name}/"), 400, "invalid_request")
    assert body["error"] == error
    assert body["details"] == details
    assert list(body["details"]) == list(details)


def test_extra_fields_and_headers(api):
    answer = api().get("/api/raises/extra/")
    assert shaped(answer, 400, "invalid_request")["credits_needed"] == 5
    assert answer.headers["X-Extra"] == "1"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (403, "permission_denied"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (500, "internal_error"),
        (503, "service_unavailable"),
    ],
)
def test_djangos_own_pages_are_replaced(api, status, code):
    answer = api().get(f"/api/plain/{status}/")
    shaped(answer, status, code)
    assert "<h1>" not in answer.text


@pytest.mark.parametrize("path", ["/api/nothing/", "/api/v1/nothing", "/media", "/webhooks"])
def test_no_such_path(api, path):
    shaped(api().get(path), 404, "not_found")


def test_the_front_door_is_for_people_and_leads_to_the_documentation(api):
    page = api().get("/")
    assert (page.status_code, page.headers["Content-Type"][:9]) == (200, "text/html")
    assert 'href="/api/docs/"' in page.text
    assert api().get("/favicon.ico", follow_redirects=True).headers["Content-Type"] == "image/png"


def test_a_refused_host(api):
    shaped(api(Host="evil.example").get("/api/register/"), 400, "invalid_request")


@pytest.mark.parametrize(
    "method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"]
)
def test_methods(api, method):
    answer = api().request(method, "/api/register/")
    shaped(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"].startswith("POST")


def test_an_answer_that_nobody_wants(api):
    answer = api(Accept="text/html").post("/api/register/", json={})
    shaped(answer, 406, "not_acceptable")


@pytest.mark.parametrize("offered", ["my-id-123", "A" * 100, "1.2_3-456"])
def test_a_sane_request_id_is_kept(api, offered):
    answer = api(**{"X-Request-ID": offered}).get("/api/nothing/")
    assert shaped(answer, 404, "not_found")["request_id"] == offered


@pytest.mark.parametrize(
    "offered", ["", "short", "A" * 101, "white space here", "<script>alert(1)", "--------"]
)
def test_another_is_replaced(api, offered):
    answer = api(**{"X-Request-ID": offered}).get("/api/nothing/")
    assert shaped(answer, 404, "not_found")["request_id"] not in {offered, ""}
