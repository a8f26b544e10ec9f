"""Every page of the console; the path of an account's pages names the account."""

from __future__ import annotations

from django.urls import include, path

from console.pages import coming, home, ledger, log_in, mailbox, start

app_name = "console"

ACCOUNT = [
    path("", home.show, name="home"),
    path("create/", coming.soon, name="create"),
    path("gallery/", coming.soon, name="gallery"),
    path("gallery/<str:generation>/", coming.soon, name="generation"),
    path("keys/", coming.soon, name="keys"),
    path("ledger/", ledger.show, name="ledger"),
    path("ledger.csv", ledger.as_csv, name="ledger-csv"),
    path("billing/", coming.soon, name="billing"),
    path("settings/", coming.soon, name="settings"),
]

urlpatterns = [
    path("sign-up/", coming.soon, name="sign-up"),
    path("verify/", coming.soon, name="verify"),
    path("log-in/", log_in.show, name="log-in"),
    path("log-out/", log_in.leave, name="log-out"),
    path("reset/", coming.soon, name="reset"),
    path("confirm/", coming.soon, name="confirm"),
    path("me/", coming.soon, name="me"),
    path("mailbox/", mailbox.show, name="mailbox"),
    path("mailbox/<str:mail>/", mailbox.show_one, name="mailbox-mail"),
    path("c/", start.show, name="start"),
    path("c/<str:account>/", include(ACCOUNT)),
]
