"""Registration and login tokens, of section 1 of the contract; under ``/api/``."""

from __future__ import annotations

from django.urls import path

from signup import token_views, views

urlpatterns = [
    path("register/", views.RegisterView.as_view(), name="register"),
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("password/", token_views.PasswordView.as_view(), name="password"),
    path("tokens/", token_views.TokensView.as_view(), name="tokens"),
    path("tokens/<str:token_id>/", token_views.TokenView.as_view(), name="token"),
]
