"""The OpenAPI document: valid, complete, with an example for everything."""

from __future__ import annotations

import json
import re

from drf_spectacular.validation import validate_schema

from events.models import TEST, Type
from tests.support.document import document, operations, resolved, validator

ERROR_CODES = {
    *("invalid_request", "not_authenticated", "invalid_credentials", "insufficient_credits"),
    *("account_suspended", "registration_closed", "permission_denied", "not_found"),
    *("not_acceptable", "idempotency_key_reused", "idempotency_in_progress", "not_ready"),
    *("not_cancelable", "output_expired", "request_too_large", "unsupported_media_type"),
    *("rate_limited", "too_many_open_generations", "internal_error", "service_unavailable"),
    *(
        "provider_busy",
        "model_unavailable",
        "price_above_max",
        "range_not_satisfiable",
        "precondition_failed",
    ),
    *("generation_failed", "generation_canceled", "request_timeout", "upload_limit_reached"),
    *("payments_unavailable", "email_not_verified", "payment_hold", "purchase_limit_reached"),
    *("too_many_open_payments", "events_expired", "too_many_streams"),
    *("rotation_in_progress", "too_many_webhook_endpoints", "webhook_endpoint_disabled"),
}
# of what no client library sends
WITHOUT_EXAMPLE = {"method_not_allowed", "uri_too_long", "expectation_failed", "headers_too_large"}


def test_the_document_is_valid():
    validate_schema(document())
    assert document()["openapi"].startswith("3.1")
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids)) == 45
    assert not re.search("x-(failures|operation-ids|own-errors)", json.dumps(document()))


def test_every_operation_is_described_with_its_errors():
    for path, method, operation in operations():
        assert operation["summary"], path
        assert operation["tags"], path
        statuses = set(operation["responses"])
        assert {"429", "500", "503"} < statuses
        assert ("401" in statuses) == ({} not in operation["security"] or path == "/api/login/")
        assert ("404" in statuses) == ("{" in path)
        assert ("415" in statuses) == ("requestBody" in operation)
        assert ("413" in statuses) == ("408" in statuses) == (method == "post")


def test_every_body_has_an_example_that_fits_its_schema():
    shown = 0
    for path, _, operation in operations():
        bodies = [resolved(answer) for answer in operation["responses"].values()]
        bodies += [operation["requestBody"]] if "requestBody" in operation else []
        contents = [body.get("content", {}) for body in bodies]
        for media in (
            found["application/json"] for found in contents if "application/json" in found
        ):
            assert media["examples"], path
            for example in media["examples"].values():
                validator(media["schema"]).validate(example["value"])
                shown += 1
    assert shown > 100


def test_every_error_code_has_an_example():
    found = set()
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            if status >= "400" and "content" in resolved(answer):
                shown = resolved(answer)["content"]["application/json"]["examples"]
                found |= {example["value"]["code"] for example in shown.values()}
    assert found == ERROR_CODES
    assert all(
        f"`{code}`" in document()["info"]["description"] for code in ERROR_CODES | WITHOUT_EXAMPLE
    )


def test_a_body_is_required_where_nothing_else_says_what_it_may_lack():
    bodies = {
        path: operation["requestBody"].get("required", False)
        for path, method, operation in operations()
        if method in ("post", "patch") and "requestBody" in operation
    }
    assert bodies["/api/v1/uploads/"]
    assert bodies["/api/v1/generate/video/"]
    assert not bodies["/api/account/"]  # nothing to change is no fault


def test_each_type_that_is_sent_is_described_with_its_headers():
    sent = document()["webhooks"]
    assert list(sent) == [*Type.values, TEST]
    for what, methods in sent.items():
        (operation,) = methods.values()
        headers = {each["name"]: each for each in operation["parameters"]}
        signed = {"webhook-id", "webhook-timestamp", "webhook-signature"}
        assert headers.keys() == signed | {"User-Agent"}
        for header in headers.values():
            assert header["in"] == "header"
            validator(header["schema"]).validate(header["example"])
        media = operation["requestBody"]["content"]["application/json"]
        for example in media["examples"].values():
            validator(media["schema"]).validate(example["value"])
            assert example["value"]["type"] == what
            other = {"type": "generation.started"}
            assert not validator(media["schema"]).is_valid(example["value"] | other)
        assert set(operation["responses"]) == {"2XX", "410", "default"}
