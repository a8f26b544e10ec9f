"""What a customer gets to keep: receipts, invoices, the portal that lists them."""

from __future__ import annotations

from html import escape

from aiohttp import web

from dev.stripe.page.html import money, page, paragraph, row
from dev.stripe.page.pdf import pdf_of
from dev.stripe.wire.store import Obj
from dev.stripe.world import World


class Papers:
    """``/receipts/<charge>``, ``/i/<invoice>`` and its PDF, ``/p/session/<portal session>``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/receipts/{id}", self.receipt),
            web.get("/i/{id}", self.invoice),
            web.get("/i/{id}/pdf", self.pdf),
            web.get("/p/session/{id}", self.portal),
        ]

    async def receipt(self, request: web.Request) -> web.Response:
        """What a charge took and gave back."""
        charge = self._world.store.get("charge", request.match_info["id"])
        rows = row("Paid", money(charge["amount_captured"], charge["currency"]))
        if charge["amount_refunded"]:
            rows += row("Refunded", money(-charge["amount_refunded"], charge["currency"]))
        return page("Receipt", f"<section><table>{rows}</table></section>")

    async def invoice(self, request: web.Request) -> web.Response:
        """The invoice as a page, with a link to its PDF."""
        found = self._world.store.get("invoice", request.match_info["id"])
        rows = "".join(row(name, value) for name, value in _lines(found))
        link = f'<p><a href="{escape(found["invoice_pdf"])}">Download the PDF</a></p>'
        return page(f"Invoice {found['number']}", f"<section><table>{rows}</table>{link}</section>")

    async def pdf(self, request: web.Request) -> web.Response:
        """The invoice as a file."""
        found = self._world.store.get("invoice", request.match_info["id"])
        lines = [f"Invoice {found['number']}", "EMULATED, no money is charged", ""]
        lines += [f"{name}: {value}" for name, value in _lines(found)]
        name = f'attachment; filename="Invoice-{found["number"]}.pdf"'
        headers = {"Content-Disposition": name}
        return web.Response(body=pdf_of(lines), content_type="application/pdf", headers=headers)

    async def portal(self, request: web.Request) -> web.Response:
        """A customer's invoices, and the way back to the shop."""
        session = self._world.store.get("billing_portal.session", request.match_info["id"])
        mine = [
            each
            for each in self._world.store.every("invoice")
            if each["customer"] == session["customer"]
        ]
        rows = "".join(_linked(each) for each in reversed(mine))
        content = f"<table>{rows}</table>" if rows else paragraph("There are no invoices yet.")
        back = session["return_url"]
        link = f'<p><a href="{escape(back)}">Return to the shop</a></p>' if back else ""
        return page("Billing", f"<section>{content}</section>{link}")


def _linked(invoice: Obj) -> str:
    link = f'<a href="{escape(invoice["hosted_invoice_url"])}">{escape(invoice["number"])}</a>'
    sum_ = money(invoice["total"], invoice["currency"])
    return f'<tr><th scope="row">{link}</th><td>{sum_}</td></tr>'


def _lines(invoice: Obj) -> list[tuple[str, str]]:
    currency = invoice["currency"]
    lines = [
        (f"{each['quantity']} × {each['description']}", money(each["amount"], currency))
        for each in invoice["lines"]["data"]
    ]
    discount = invoice["subtotal"] - invoice["total_excluding_tax"]
    if discount:
        lines.append(("Discount", money(-discount, currency)))
    tax = invoice["total"] - invoice["total_excluding_tax"]
    if tax:
        lines.append(("Tax", money(tax, currency)))
    return [*lines, ("Total", money(invoice["total"], currency))]
