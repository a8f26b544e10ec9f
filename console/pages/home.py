"""Home: what an account has and did."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from accounts.models import Account
from console import access
from console.access import ConsoleRequest


@access.of_account("GET")
def show(request: ConsoleRequest, account: Account) -> HttpResponse:
    return render(request, "console/home.html")
