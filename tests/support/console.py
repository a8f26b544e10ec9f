"""Customers in a browser: logged in at the console, by a session as a log-in makes it."""

from __future__ import annotations

from typing import Any

from django.contrib import auth
from django.http import HttpRequest
from django.test import Client

from accounts.models import User
from console import entrance
from console.middleware import COOKIE
from console.sessions import SessionStore


def browser(user: User, **options: Any) -> Client:
    """A browser in which ``user`` has just logged in; ``options`` are those of Django's Client."""
    client = Client(**options)
    client.cookies[COOKIE] = str(session_of(user).session_key)
    return client


def session_of(user: User) -> SessionStore:
    """A fresh session of ``user``."""
    request = HttpRequest()
    request.META |= {"REMOTE_ADDR": "127.0.0.1", "HTTP_USER_AGENT": "a test"}
    session = SessionStore()
    request.session = session
    entrance.enter(request, user)
    session.save()
    assert auth.SESSION_KEY in session
    return session
