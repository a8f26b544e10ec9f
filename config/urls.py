"""Every path of the service, in the order of the API page."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from common.web.caching import public
from config import error_pages
from config.guide import WebhooksGuideView
from config.served_schema import ServedSchemaView
from generation.api.media import media
from monitoring.health import livez, readyz
from payments import webhook

FAVICON = "/static/drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png"

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("generation.api.urls")),
    path("api/v1/", include("credits.api.urls")),
    path("api/v1/", include("payments.api.urls")),
    path("api/v1/", include("webhooks.api.urls")),
    path("api/", include("signup.urls")),
    path("api/", include("accounts.api.urls")),
    path("api/schema/", ServedSchemaView.as_view(), name="schema"),
    path("api/docs/", public(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="docs"),
    path("api/docs/webhooks/", public(WebhooksGuideView.as_view()), name="webhooks-guide"),
    path("media/<path:key>", media, name="media"),
    path("webhooks/stripe/", webhook.receive, name="stripe-webhook"),
    path("", include("console.urls")),
    path("favicon.ico", RedirectView.as_view(url=FAVICON)),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("admin", RedirectView.as_view(pattern_name="admin:index", query_string=True)),
    path("admin/", admin.site.urls),
]
handler400 = error_pages.bad_request
handler403 = error_pages.forbidden
handler404 = error_pages.not_found
handler500 = error_pages.server_error
