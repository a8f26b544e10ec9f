"""What OpenAI's client, which many customers have already, says of each webhook."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import time_machine
from openai import InvalidWebhookSignatureError, OpenAI


def tried(received: list[dict[str, Any]], secrets: Mapping[str, str]) -> list[dict[str, Any]]:
    """What was received, each with whether the client takes it: ``unwrapped``.

    ``secrets`` are those of the boxes. Each is judged as of the moment at which it came, since the
    client refuses what is older than five minutes.
    """
    return [each | {"unwrapped": _is_taken(each, secrets)} for each in received]


def _is_taken(each: dict[str, Any], secrets: Mapping[str, str]) -> bool:
    if each["body"] is None or each["box"] not in secrets:
        return False
    with time_machine.travel(each["at"], tick=False):
        try:
            _client(secrets[each["box"]]).webhooks.unwrap(each["body"], each["headers"])
        except (InvalidWebhookSignatureError, ValueError):
            return False
    return True


@cache
def _client(secret: str) -> OpenAI:
    return OpenAI(api_key="none", webhook_secret=secret)
