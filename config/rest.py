"""How Django REST framework serves the API, and drf-spectacular describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.SecretAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasAccount"],
    "DEFAULT_PARSER_CLASSES": ["common.api.json_body.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "common.api.negotiation.JsonOnly",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.AccountThrottle"],
    "DEFAULT_SCHEMA_CLASS": "common.api.openapi.ContractSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "common.api.shape.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
}

INTRODUCTION = Path(__file__).resolve().parent.parent / "templates" / "api_introduction.md"

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Reelmint API",
    "DESCRIPTION": INTRODUCTION.read_text(),
    "VERSION": "1.0.0",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "TAGS": [
        {"name": name}
        for name in (
            "Generations",
            "Events",
            "Webhooks",
            "Uploads",
            "Models",
            "Credits",
            "Payments",
            "API keys",
            "Account",
        )
    ],
    "WEBHOOKS": [
        f"webhooks.api.sent.{name}" for name in ("completed", "failed", "canceled", "test")
    ],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "common.api.openapi.add_shared_parts",
    ],
    # several are called status
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "generation.models.states.PUBLIC_STATUSES",
        "PaymentStatusEnum": "payments.models.states.State.values",
        "DeliveryStatusEnum": "events.models.DeliveryState.values",
        "AttemptStatusEnum": "webhooks.forms.ENDED",
        "AttemptErrorEnum": "events.models.AttemptError.values",
        "EventTypeEnum": "events.models.Type.values",
        "DeliveryTypeEnum": "webhooks.forms.TYPES",
    },
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without this it would ask validator.swagger.io about the schema.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}
