"""The command line: ``python -m dev.receiver --help``."""

from __future__ import annotations

import argparse
import asyncio
import errno
import signal
import sys
from pathlib import Path

from aiohttp import web

from dev.receiver.control import ControlApi
from dev.receiver.hooks import Hooks
from dev.receiver.memory import Memory

SHUTDOWN_SECONDS = 0.5
BODY_BYTES_MAX = 1024 * 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.receiver", description="A receiver of webhooks. See README.md."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=9200, help="0, or one that is taken: any free one")
    add("--ready-file", type=Path, help="the URL is written here once requests are answered")
    add("--journal", type=Path, help="what was received outlives the process in this file")
    return parser.parse_args()


async def _listen(runner: web.AppRunner, host: str, port: int) -> str:
    """The URL that answers now. Raises OSError."""
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        await web.TCPSite(runner, host, 0, backlog=1024).start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


async def _serve(arguments: argparse.Namespace) -> None:
    memory, closing = Memory(arguments.journal), asyncio.Event()
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_routes(Hooks(memory, closing).routes())
    app.router.add_routes(ControlApi(memory).routes())

    async def end_held_answers(_: web.Application) -> None:
        closing.set()

    app.on_shutdown.append(end_held_answers)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await runner.setup()
    try:
        url = await _listen(runner, arguments.host, arguments.port)
        sys.stdout.write(f"Receiver of webhooks, for trying out. On {url}\n")
        sys.stdout.flush()
        if arguments.ready_file:
            # A reader that waits for the file must never see half of it.
            part = arguments.ready_file.with_name(arguments.ready_file.name + ".part")
            part.write_text(url + "\n")
            part.replace(arguments.ready_file)
        await ended.wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    try:
        asyncio.run(_serve(_arguments()))
    except OSError as error:
        sys.exit(f"The receiver cannot start: {error}")


main()
