"""Around every call of the API: the key, the form, idempotency, expansion, errors."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from dev.emulator.hang import hold
from dev.stripe.objects.notice import API_VERSION
from dev.stripe.wire.errors import StripeError, bad_key
from dev.stripe.wire.expand import Computed, expanded
from dev.stripe.wire.fields import Table, read
from dev.stripe.wire.forms import decode
from dev.stripe.wire.idempotency import Answer, Keys
from dev.stripe.wire.store import Obj, new_id
from dev.stripe.world import World

KEPT_STATUSES = (200, 402, 500)  # what was executed; all else leaves the key unused


class HangingError(Exception):
    """No answer is given; ``made`` is the object that was made all the same."""

    def __init__(self, made: Obj | None = None) -> None:
        super().__init__()
        self.made = made


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: what the form says, the ids in its path, its idempotency key."""

    params: Obj
    ids: Mapping[str, str]
    key: str


@dataclass(frozen=True, slots=True)
class Call:
    """A path of the API, the table of its parameters, and what it does."""

    method: str
    path: str
    table: Table
    act: Callable[[World, Asked], Obj | Awaitable[Obj]]
    private: bool = False  # not of Stripe's public API


class Server:
    """Answers calls in the way that Stripe's clients rely on."""

    def __init__(self, world: World, computed: Computed, closing: asyncio.Event) -> None:
        self._world = world
        self._computed = computed
        self._closing = closing
        self.keys = Keys(world.options.time_scale)

    def route(self, call: Call) -> web.RouteDef:
        """The call as a route of aiohttp's."""

        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(call, request)

        return web.route(call.method, call.path, answer)

    async def _answer(self, call: Call, request: web.Request) -> web.StreamResponse:
        request_id = new_id("req", 14)
        self._world.requests[f"{call.method} {call.path}"] += 1
        key = request.headers.get("Idempotency-Key", "") if call.method == "POST" else ""
        headers = {"Idempotency-Key": key} if key else {}
        kept: Answer | None = None
        hangs = False
        try:
            self._check_key(request)
            given = decode(await self._form(request))
            if key:
                asked = (call.method, request.path, json.dumps(given, sort_keys=True))
                kept, is_old = self.keys.begin(key, asked)
                if is_old:
                    headers["Idempotent-Replayed"] = "true"
                    return _response(request, kept.status, kept.body, kept.request_id, headers)
            self._world.request = {"id": request_id, "idempotency_key": key or None}
            status, body = await self._act(call, Asked(given, request.match_info, key))
        except StripeError as error:
            status, body = error.status, json.dumps(error.body(), indent=2)
        except HangingError as hanging:
            hangs = True
            status, body = (200, json.dumps(hanging.made, indent=2)) if hanging.made else (0, "")
        finally:
            self._world.request = {"id": None, "idempotency_key": None}
        if kept is not None:
            self.keys.end(key, kept, status if status in KEPT_STATUSES else 0, body, request_id)
        if hangs:
            return await hold(request, self._closing)
        return _response(request, status, body, request_id, headers)

    async def _act(self, call: Call, asked: Asked) -> tuple[int, str]:
        params = read(call.table, asked.params)
        expand = params.pop("expand", [])
        done = call.act(self._world, Asked(params, asked.ids, asked.key))
        found = done if isinstance(done, dict) else await done
        shown = expanded(found, expand, self._world.store, self._computed)
        if not call.private:
            self._world.record("answer", f"{call.method} {call.path}", shown)
        return 200, json.dumps(shown, indent=2)

    def _check_key(self, request: web.Request) -> None:
        header = request.headers.get("Authorization", "")
        scheme, _, secret = header.partition(" ")
        if scheme.lower() == "basic":
            try:
                secret = base64.b64decode(secret).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                raise bad_key("") from None
        if not secret.strip():
            raise StripeError(
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                "YOUR_SECRET_KEY').",
                status=401,
            )
        if not self._world.options.takes(secret.strip()):
            raise bad_key(f"{secret[:8]}{'*' * 8}{secret[-4:]}")

    @staticmethod
    async def _form(request: web.Request) -> str:
        if request.method != "POST":
            return request.query_string
        if request.content_length and request.content_type != "application/x-www-form-urlencoded":
            raise StripeError("Invalid request (check that your POST body is a form).")
        return await request.text()


def _response(
    request: web.Request, status: int, body: str, request_id: str, headers: dict[str, str]
) -> web.Response:
    version = request.headers.get("Stripe-Version", API_VERSION)
    known = {"Request-Id": request_id, "Stripe-Version": version, **headers}
    return web.Response(
        status=status, text=body + "\n", content_type="application/json", headers=known
    )
