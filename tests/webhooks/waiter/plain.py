"""An ASGI application without Django, for what the waiter's server does before and after one."""

from __future__ import annotations

import json
from typing import Any

TOLD = ("method", "path", "root_path", "scheme")


class Plain:
    """Answers what the request said; ``/broken`` is an error of the application."""

    def serve_under(self, worker: Any) -> None:
        """config/waiter.py tells the waiter of its worker."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for word in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{word}.complete"})
            return
        if scope["path"] == "/broken":
            raise RuntimeError("the database's password is hunter2")
        said = {name: scope[name] for name in TOLD} | {"client": scope["client"][0]}
        body = json.dumps(said).encode()
        headers = [(b"Content-Length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


application = Plain()
