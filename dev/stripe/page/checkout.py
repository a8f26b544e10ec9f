"""The page where a customer pays."""

from __future__ import annotations

from html import escape

from aiohttp import web

from dev.stripe import checkout, selling
from dev.stripe.cards import Means, WrongNumberError, card, iban
from dev.stripe.options import BROWSER_WAITS
from dev.stripe.page.html import money, page, paragraph, redirect, row
from dev.stripe.paying import Tried
from dev.stripe.scenarios import Scenario, of_email
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

OVER = {
    "complete": "You are all done here. This page has been paid already.",
    "expired": "This page has timed out. Go back to the shop and begin again.",
}


async def back_to_shop(world: World, session: Obj) -> web.Response:
    """A redirect, once the shop was told: it shall know before its customer is back."""
    await world.sender.answered(session["id"], BROWSER_WAITS)
    target = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    return redirect(target)


class CheckoutPage:
    """``/c/pay/<session>``: a bill and a form."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/c/pay/{id}", self.show),
            web.post("/c/pay/{id}", self.act),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The session as it is, and what became of the last try."""
        session = self._session(request)
        intent = self._world.store.find(session["payment_intent"]) or {}
        last = (intent.get("last_payment_error") or {}).get("message", "")
        return self._page(session, self._email(session), last)

    async def act(self, request: web.Request) -> web.Response:
        """One of the buttons was pressed: Apply, Back or Pay."""
        session = self._session(request)
        form = {key: str(value) for key, value in (await request.post()).items()}
        email = form.get("email", "").strip()
        pressed = form.get("action", "pay")
        if pressed == "back":
            return redirect(session["cancel_url"] or session["success_url"])
        if not self._is_payable(session):
            return self._page(session, email)
        self._play(session, email)
        if pressed == "apply" or (pressed == "enter" and form.get("code")):
            return self._page(session, email, code_error=self._apply(session, form.get("code", "")))
        if "@" not in email:
            return self._page(session, email, "Your email is incomplete.", form=form)
        try:
            means = self._means(session, form)
        except WrongNumberError as error:
            return self._page(session, email, str(error), form=form)
        return await self._after(session, checkout.pay(self._world, session, means, email), email)

    def _session(self, request: web.Request) -> Obj:
        return self._world.store.get("checkout.session", request.match_info["id"])

    def _scenario(self, session: Obj) -> Scenario:
        purchase = self._world.purchases.of(session)
        return purchase.scenario if purchase else Scenario()

    def _play(self, session: Obj, email: str) -> None:
        """Markers of the address that was typed count, too."""
        purchase = self._world.purchases.of(session)
        if purchase is not None:
            purchase.scenario |= of_email(email)

    def _is_payable(self, session: Obj) -> bool:
        late = session["status"] == "expired" and "pays-after-expiry" in self._scenario(session)
        return session["status"] == "open" or late

    def _email(self, session: Obj) -> str:
        customer = self._world.store.find(session["customer"])
        known = (session["customer_details"] or {}).get("email")
        return str(known or (customer or {}).get("email") or session["customer_email"] or "")

    def _apply(self, session: Obj, typed: str) -> str:
        """Apply a promotion code; gives what is wrong with it."""
        found = selling.code_of(self._world, typed) if session["allow_promotion_codes"] else None
        if found is None:
            return "This code is invalid."
        selling.discount(self._world, session, {"promotion_code": found["id"]})
        return ""

    def _means(self, session: Obj, form: dict[str, str]) -> Means | None:
        scenario = self._scenario(session)
        if session["mode"] == "payment" and not session["amount_total"]:
            return None
        by_bank = form.get("method") == "sepa_debit"
        if "sepa-ok" in scenario or "sepa-fails" in scenario:
            return iban("DE89370400440532013000")
        return iban(form.get("iban", "")) if by_bank else card(form.get("card", ""))

    async def _after(self, session: Obj, tried: Tried, email: str) -> web.Response:
        if tried.asks:
            return redirect(f"/c/3ds/{session['payment_intent']}")
        if tried.refusal is not None:
            return self._page(session, email, tried.refusal.message)
        return await back_to_shop(self._world, session)

    def _page(
        self,
        session: Obj,
        email: str,
        error: str = "",
        *,
        code_error: str = "",
        form: dict[str, str] | None = None,
    ) -> web.Response:
        status = 200
        words = self._scenario(session).shown()
        content = [self._bill(session)]
        if words:
            content.append(paragraph(f"Emulated scenario: {', '.join(words)}", "soft"))
        if self._is_payable(session):
            content.append(_form(session, email, error, code_error, form or {}))
        else:
            status = 410 if session["status"] == "expired" else 200
            content.append(paragraph(OVER[session["status"]], "bad"))
            content.append(_back())
        return page("Pay", "".join(content), status)

    def _bill(self, session: Obj) -> str:
        currency, rows = session["currency"], []
        for each in self._world.items[session["id"]]:
            name = f"{each['quantity']} × {each['description']}"
            rows.append(row(name, money(each["amount_subtotal"], currency)))
        details = session["total_details"] or {}
        if details.get("amount_discount"):
            rows.append(row("Discount", money(-details["amount_discount"], currency)))
        if details.get("amount_tax"):
            rows.append(row("Tax", money(details["amount_tax"], currency)))
        if session["amount_total"] is not None:
            rows.append(row("Total", money(session["amount_total"], currency), "total"))
        return f"<section><table>{''.join(rows)}</table></section>"


def _back() -> str:
    return (
        '<form method="post"><button class="back" name="action" value="back">Back</button></form>'
    )


def _field(label: str, name: str, value: str, more: str = "") -> str:
    return (
        f'<label for="{name}">{label}</label><input id="{name}" name="{name}" type="text" '
        f'value="{escape(value)}" autocomplete="off"{more}>'
    )


def _form(session: Obj, email: str, error: str, code_error: str, form: dict[str, str]) -> str:
    parts = [paragraph(error, "bad"), _field("E-mail", "email", email, ' inputmode="email"')]
    if session["allow_promotion_codes"]:
        parts.append(
            '<label for="code">Promotion code</label><div class="beside"><input id="code" '
            'name="code" type="text" autocomplete="off"><button name="action" value="apply">Apply'
            "</button></div>" + paragraph(code_error, "bad")
        )
    if session["mode"] == "setup" or session["amount_total"]:
        by_bank = form.get("method") == "sepa_debit"
        radios = "".join(
            f'<label><input type="radio" name="method" value="{value}"'
            f"{' checked' if by_bank == (value == 'sepa_debit') else ''}> {label}</label>"
            for value, label in (("card", "Card"), ("sepa_debit", "SEPA Direct Debit"))
        )
        parts.append(f"<fieldset><legend>Pay by</legend>{radios}</fieldset>")
        parts.append(_field("Card number", "card", form.get("card", ""), ' inputmode="numeric"'))
        parts.append(_field("IBAN", "iban", form.get("iban", "")))
    # The first button of a form is the one that Enter presses.
    first = '<button name="action" value="enter" hidden aria-hidden="true" tabindex="-1"></button>'
    return (
        f'<section><form method="post">{first}{"".join(parts)}<button class="main" name="action" '
        'value="pay">Pay</button><button class="back" name="action" value="back">Back</button>'
        "</form></section>"
    )
