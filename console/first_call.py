"""A first call of the API as programs spell it. Each one runs as it stands."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from generation.models import CatalogModel
from generation.offer import catalog, pricing
from generation.offer.parameters import Parameters

PROMPT = "A paper boat on a quiet lake at sunrise"


@dataclass(frozen=True, slots=True)
class FirstCall:
    """A call that orders the cheapest thing on sale, so that there is something to look at."""

    model: CatalogModel
    url: str
    secret: str

    @classmethod
    def of(cls, base_url: str, secret: str) -> FirstCall | None:
        """The call; None while nothing is on sale."""
        sold = catalog.on_sale("image") or catalog.on_sale()
        if not sold:
            return None
        return cls(sold[0], f"{base_url}/api/v1/generate/{sold[0].kind}/", secret)

    @property
    def credits(self) -> int:
        return pricing.price_of(self.model, Parameters.filled(self.model, {}))

    @property
    def curl(self) -> str:
        authorization = shlex.quote(f"Authorization: Bearer {self.secret}")
        return (
            f"curl -X POST {shlex.quote(self.url)} \\\n"
            f"  -H {authorization} \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d {shlex.quote(self._body)}\n"
        )

    @property
    def python(self) -> str:
        return (
            "import json\n"
            "import urllib.request\n"
            "\n"
            "request = urllib.request.Request(\n"
            f"    {json.dumps(self.url)},\n"
            f"    data=json.dumps({self._body}).encode(),\n"
            "    headers={\n"
            f'        "Authorization": "Bearer {self.secret}",\n'
            '        "Content-Type": "application/json",\n'
            "    },\n"
            ")\n"
            "with urllib.request.urlopen(request) as answer:\n"
            "    print(answer.status, answer.read().decode())\n"
        )

    @property
    def node(self) -> str:
        return (
            f"fetch({json.dumps(self.url)}, {{\n"
            '  method: "POST",\n'
            "  headers: {\n"
            f'    Authorization: "Bearer {self.secret}",\n'
            '    "Content-Type": "application/json",\n'
            "  },\n"
            f"  body: JSON.stringify({self._body}),\n"
            "}).then(async (answer) => console.log(answer.status, await answer.text()));\n"
        )

    @property
    def _body(self) -> str:
        """The body as JSON. An object of texts is the same in Python and JavaScript."""
        body = {"prompt": PROMPT}
        if self.model.kind == CatalogModel.Kind.VIDEO:
            body["video_model"] = self.model.name
        return json.dumps(body)
