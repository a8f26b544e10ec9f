"""Answers that never come: the connection is held, or reset."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

from aiohttp import web

HOLD_SECONDS = 900.0
LOOK_SECONDS = 0.5


async def hold(request: web.Request, closing: asyncio.Event) -> web.Response:
    """Keep the connection open without a byte until the caller gives up, or 15 minutes."""
    loop = asyncio.get_running_loop()
    end = loop.time() + HOLD_SECONDS
    while loop.time() < end and not closing.is_set():
        if request.transport is None or request.transport.is_closing():
            break
        with suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), LOOK_SECONDS)
    return reset(request)


def reset(request: web.Request) -> web.Response:
    """End the connection with a TCP reset; the returned response goes nowhere."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        if connection is not None:
            # Linger of zero seconds: the kernel sends RST instead of FIN.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()
