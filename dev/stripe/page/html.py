"""The frame of every page: escaped text, light and dark, down to 320 pixels."""

from __future__ import annotations

from html import escape

from aiohttp import web

STYLE = """
:root{color-scheme:light dark;--ink:#1c2233;--soft:#596078;--page:#f4f5f9;--card:#fff;
--line:#cfd3e0;--main:#4b3fd6;--on:#fff;--bad:#b3261e;--warn:#fff4d6;--warnink:#5b4300}
@media(prefers-color-scheme:dark){:root{--ink:#eceef6;--soft:#a7aec6;--page:#12141c;--card:#1c1f2b;
--line:#41475c;--main:#8f86ff;--on:#12141c;--bad:#ff9a91;--warn:#3b3110;--warnink:#ffe3a0}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:0 auto;padding:1rem}
.emulated{background:var(--warn);color:var(--warnink);padding:.6rem 1rem;text-align:center;
font-weight:600}
section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1rem;
margin:1rem 0}
h1{font-size:1.3rem;margin:1rem 0 0}table{width:100%;border-collapse:collapse}
td,th{padding:.3rem 0;text-align:left;font-weight:400;overflow-wrap:anywhere}
td:last-child{text-align:right;white-space:nowrap;overflow-wrap:normal}
tr.total{border-top:1px solid var(--line)}tr.total>*{font-weight:700}legend{padding:0}
label{display:block;margin:.7rem 0 .2rem}fieldset{border:0;padding:0;margin:.7rem 0 0}
fieldset label{display:inline-block;margin:.2rem 1rem .2rem 0}
input[type=text],input[type=email]{width:100%;min-height:44px;padding:.5rem .7rem;font:inherit;
color:inherit;background:var(--page);border:1px solid var(--line);border-radius:.5rem}
.beside{display:flex;gap:.5rem}.beside input{flex:1;min-width:0}
button{min-height:44px;padding:.5rem 1rem;font:inherit;font-weight:600;border-radius:.5rem;
border:1px solid var(--line);background:transparent;color:inherit;cursor:pointer}
button.main{width:100%;margin-top:1rem;background:var(--main);color:var(--on);border-color:var(--main)}
a{color:inherit}button.back{width:100%;margin-top:.5rem}
:focus-visible{outline:3px solid var(--main);outline-offset:2px}
.bad{color:var(--bad);font-weight:600}.soft{color:var(--soft);font-size:.9rem}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
DECIMALS_NONE = {"jpy", "krw", "vnd", "clp"}


def page(title: str, content: str, status: int = 200) -> web.Response:
    """``content`` is HTML whose texts are escaped already."""
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        '<p class="emulated" style="margin:0">EMULATED, no money is charged</p>'
        f"<main><h1>{escape(title)}</h1>{content}</main></body></html>\n"
    )
    headers = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def redirect(url: str) -> web.Response:
    """Send the browser elsewhere, to be read there with a GET."""
    return web.Response(status=303, headers={"Location": url})


def money(amount: int, currency: str) -> str:
    """``2500`` and ``usd`` as ``25.00 USD``."""
    if currency in DECIMALS_NONE:
        return f"{amount} {currency.upper()}"
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02} {currency.upper()}"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; nothing where there is no text."""
    if not text:
        return ""
    role = ' role="alert"' if kind == "bad" else ""
    return f'<p class="{kind}"{role}>{escape(text)}</p>'


def row(name: str, value: str, kind: str = "") -> str:
    """A row of a bill: what, and how much."""
    return f'<tr class="{kind}"><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
