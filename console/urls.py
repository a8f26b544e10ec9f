"""Every page of the console; the path of an account's pages names the account."""

from __future__ import annotations

from django.urls import include, path

from console.pages import (
    billing,
    confirm,
    create,
    gallery,
    generation,
    home,
    keys,
    landing,
    ledger,
    log_in,
    log_in_code,
    mailbox,
    me,
    my_sessions,
    payment,
    reset,
    second_factor,
    settings,
    sign_up,
    start,
    verify,
)

app_name = "console"

ACCOUNT = [
    path("", home.show, name="home"),
    path("create/", create.show, name="create"),
    path("create/upload/", create.upload, name="create-upload"),
    path("gallery/", gallery.show, name="gallery"),
    path("gallery/<str:generation>/", generation.show, name="generation"),
    path("gallery/<str:generation>/progress/", generation.progress, name="generation-progress"),
    path("gallery/<str:generation>/cancel/", generation.cancel, name="generation-cancel"),
    path("keys/", keys.show, name="keys"),
    path("keys/<str:key>/delete/", keys.delete, name="key-delete"),
    path("keys/<str:key>/used/", keys.used, name="key-used"),
    path("ledger/", ledger.show, name="ledger"),
    path("ledger.csv", ledger.as_csv, name="ledger-csv"),
    path("billing/", billing.show, name="billing"),
    path("billing/buy/", billing.buy, name="buy"),
    path("billing/payments/<str:payment>/", payment.show, name="payment"),
    path("billing/payments/<str:payment>/pay/", payment.pay, name="payment-pay"),
    path("billing/payments/<str:payment>/status/", payment.status, name="payment-status"),
    path("billing/payments/<str:payment>/receipt/", payment.receipt, name="payment-receipt"),
    path("settings/", settings.show, name="settings"),
]

urlpatterns = [
    path("", landing.show, name="landing"),
    path("sign-up/", sign_up.show, name="sign-up"),
    path("verify/", verify.show, name="verify"),
    path("verify/resend/", verify.resend, name="verify-resend"),
    path("log-in/", log_in.show, name="log-in"),
    path("log-in/code/", log_in_code.show, name="log-in-code"),
    path("log-out/", log_in.leave, name="log-out"),
    path("reset/", reset.ask, name="reset"),
    path("reset/<str:uid>/<str:token>/", reset.set_password, name="reset-set"),
    path("confirm-email/<str:token>/", me.confirm_email, name="confirm-email"),
    path("confirm/", confirm.show, name="confirm"),
    path("me/", me.show, name="me"),
    path("me/password/", me.password, name="me-password"),
    path("me/email/", me.email, name="me-email"),
    path("me/second-factor/", second_factor.show, name="me-second-factor"),
    path("me/recovery-codes/", second_factor.recovery_codes, name="me-recovery-codes"),
    path("me/sessions/", my_sessions.show, name="me-sessions"),
    path("me/sessions/<str:session>/end/", my_sessions.end, name="me-session-end"),
    path("mailbox/", mailbox.show, name="mailbox"),
    path("mailbox/<str:mail>/", mailbox.show_one, name="mailbox-mail"),
    path("c/", start.show, name="start"),
    path("c/<str:account>/", include(ACCOUNT)),
]
