"""3-D Secure: the bank asks its customer."""

from __future__ import annotations

from aiohttp import web

from dev.stripe import checkout
from dev.stripe.api import setups
from dev.stripe.cards import NOT_AUTHENTICATED
from dev.stripe.page.checkout import back_to_shop
from dev.stripe.page.html import money, page, paragraph, redirect
from dev.stripe.paying import confirm, refuse
from dev.stripe.wire.errors import no_such
from dev.stripe.wire.store import Obj
from dev.stripe.world import World


class BankPage:
    """``/c/3ds/<payment intent or setup intent>``: yes or no."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/c/3ds/{id}", self.ask), web.post("/c/3ds/{id}", self.answer)]

    async def ask(self, request: web.Request) -> web.Response:
        """The question, if there is one still."""
        intent = self._intent(request)
        if intent["status"] != "requires_action":
            return page("3-D Secure", paragraph("There is nothing to confirm any more."), 410)
        what = "keep this card"
        if intent["object"] == "payment_intent":
            what = f"pay {money(intent['amount'], intent['currency'])}"
        return page(
            "3-D Secure",
            f"<section>{paragraph(f'Your bank asks: do you want to {what}?')}"
            '<form method="post"><button class="main" name="action" value="complete">Complete'
            '</button><button class="back" name="action" value="fail">Fail</button></form>'
            "</section>",
        )

    async def answer(self, request: web.Request) -> web.Response:
        """The customer told the bank yes, or no."""
        intent = self._intent(request)
        if intent["status"] != "requires_action":
            return await self.ask(request)
        said_yes = (await request.post()).get("action") == "complete"
        session = self._settle(intent, said_yes)
        if session is not None and said_yes:
            return await back_to_shop(self._world, session)
        if session is not None:
            return redirect(f"/c/pay/{session['id']}")
        return page("3-D Secure", paragraph("You said yes." if said_yes else "You said no."))

    def _intent(self, request: web.Request) -> Obj:
        name = request.match_info["id"]
        found = self._world.store.find(name)
        if found is None or found["object"] not in ("payment_intent", "setup_intent"):
            raise no_such("payment_intent", name)
        return found

    def _settle(self, intent: Obj, said_yes: bool) -> Obj | None:
        """Write the answer down; gives the session whose customer was asked."""
        world = self._world
        if intent["object"] == "setup_intent":
            if said_yes:
                setups.succeed(world, intent)
            else:
                setups.refuse(world, intent, NOT_AUTHENTICATED)
            return None
        method = world.store.get("payment_method", intent["payment_method"])
        if said_yes:
            tried = confirm(world, intent, method, authenticated=True)
        else:
            tried = refuse(world, intent, method, NOT_AUTHENTICATED, charged=False)
        purchase = world.purchases.of(intent)
        session = world.purchases.session(purchase) if purchase else None
        if session is not None:
            checkout.finish(world, session, tried)
        return session
