"""How the operators' pages look, and what browsers may load on ours (Content-Security-Policy)."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

SELF, NONE, DATA = "'self'", "'none'", "data:"
# Everything but the operators' pages: our own files, no inline code, nobody's frame.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, DATA],
        "font-src": [SELF],
        "connect-src": [SELF],
        "media-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# Alpine, which unfold is made of, evaluates its attributes and sets styles.
ADMIN_CONTENT_SECURITY_POLICY: dict[str, list[str]] = CONTENT_SECURITY_POLICY["DIRECTIVES"] | {
    "script-src": [SELF, "'unsafe-eval'"],
    "style-src": [SELF, "'unsafe-inline'"],
}


def _page(title: str, icon: str, model: str) -> dict[str, Any]:
    """A line of the sidebar, for whom the list may be seen by."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": lambda request: _may_see(request, model),
    }


def _may_see(request: Any, model: str) -> bool:
    app, _, name = model.partition("_")
    return bool(request.user.has_perm(f"{app}.view_{name}"))


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Reelmint",
    "SITE_HEADER": "Reelmint",
    "SITE_SUBHEADER": "Operations",
    "SITE_SYMBOL": "movie",
    "SITE_URL": "/api/docs/",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/png",
            "href": "/static/drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png",
        }
    ],
    "STYLES": [lambda request: static("staff/operations.css")],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "staff.site.environment",
    "DASHBOARD_CALLBACK": "staff.pages.dashboard.show",
    "ACCOUNT": {
        "navigation": [
            {"title": "New recovery codes", "link": reverse_lazy("admin:recovery_codes")}
        ]
    },
    "SIDEBAR": {
        "navigation": [
            {
                "title": "Customers",
                "items": [
                    _page("Accounts", "group", "accounts_account"),
                    _page("API keys", "key", "accounts_apikey"),
                    _page("Ledger", "receipt_long", "credits_ledgerentry"),
                    _page("Payments", "payments", "payments_payment"),
                    _page("Refunds and disputes", "undo", "payments_reversal"),
                ],
            },
            {
                "title": "Work",
                "items": [
                    {
                        "title": "Dashboard",
                        "icon": "monitoring",
                        "link": reverse_lazy("admin:index"),
                    },
                    _page("Generations", "movie", "generation_generation"),
                    _page("Orphans", "block", "generation_orphan"),
                    _page("Mails", "mail", "mail_mail"),
                    _page("Webhook endpoints", "webhook", "events_webhookendpoint"),
                    _page("Webhook deliveries", "send", "events_webhookdelivery"),
                ],
            },
            {
                "title": "Selling",
                "items": [
                    _page("Catalog", "sell", "generation_catalogmodel"),
                    _page("Packs", "shopping_bag", "payments_creditpack"),
                ],
            },
            {
                "title": "Staff",
                "items": [
                    _page("Audit log", "history", "staff_auditentry"),
                    _page("Users and roles", "badge", "accounts_user"),
                ],
            },
        ],
    },
}
