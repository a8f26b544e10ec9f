"""Puts the emulator's parts together into one web application."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from dev.stripe.api import (
    catalog,
    customers,
    intents,
    methods,
    notices,
    payment_pages,
    refunds,
    sessions,
    setups,
)
from dev.stripe.control import ControlApi
from dev.stripe.options import Options
from dev.stripe.page.bank import BankPage
from dev.stripe.page.checkout import CheckoutPage
from dev.stripe.page.papers import Papers
from dev.stripe.wire.errors import StripeError
from dev.stripe.wire.expand import Computed
from dev.stripe.wire.server import Server
from dev.stripe.wire.store import Obj, list_object
from dev.stripe.world import World

BODY_BYTES_MAX = 1024 * 1024
MODULES = (
    *(sessions, customers, refunds, notices, catalog),
    *(methods, setups, intents, payment_pages),
)
CALLS = [call for module in MODULES for call in module.CALLS]


@dataclass(frozen=True, slots=True)
class Emulator:
    """The application, and the world whose address the command line sets."""

    app: web.Application
    world: World


def make_emulator(options: Options) -> Emulator:
    """Build the application; call it inside the event loop that will serve it."""
    world = World(options)
    closing = asyncio.Event()
    server = Server(world, _left_out(world), closing)
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_errors])
    app.router.add_routes([server.route(each) for each in CALLS])
    pages = (CheckoutPage(world), BankPage(world), Papers(world))
    for part in (ControlApi(world, server.keys), *pages):
        app.router.add_routes(part.routes())

    async def end_held_answers(_: web.Application) -> None:
        closing.set()

    async def end_work(_: web.Application) -> None:
        await world.stop()
        await world.sender.close()

    app.on_shutdown.append(end_held_answers)
    app.on_cleanup.append(end_work)
    return Emulator(app, world)


def _left_out(world: World) -> Computed:
    """The lists that Stripe leaves out unless somebody expands them."""

    def refunds_of(charge: Obj) -> Obj:
        found = [each for each in world.store.every("refund") if each["charge"] == charge["id"]]
        return list_object(found[::-1], f"/v1/charges/{charge['id']}/refunds")

    def items_of(session: Obj) -> Obj:
        place = f"/v1/checkout/sessions/{session['id']}/line_items"
        return list_object(world.items[session["id"]], place)

    return {("charge", "refunds"): refunds_of, ("checkout.session", "line_items"): items_of}


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error leaves in Stripe's shape, also of paths that nobody has."""
    try:
        return await handler(request)
    except StripeError as error:
        return web.json_response(error.body(), status=error.status)
    except web.HTTPException as error:
        if error.status < 400:  # a redirect
            raise
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        found = StripeError(message if error.status in (404, 405) else error.reason)
        return web.json_response(found.body(), status=error.status)
