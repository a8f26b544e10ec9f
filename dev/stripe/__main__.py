"""The command line: ``python -m dev.stripe --help``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from aiohttp import web

from dev.stripe.app import make_emulator
from dev.stripe.options import Options

SHUTDOWN_SECONDS = 0.5


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.stripe",
        description="Reelmint's emulator of Stripe. No money is charged. See README.md.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=9100, help="0 picks a free one (default: %(default)s)")
    add("--public-url", help="how others reach it, if not by host and port (containers)")
    add("--time-scale", type=float, default=1.0, help="multiplies Stripe's times")
    add("--secret-key", default="", help="the one key that is let in (default: any test key)")
    add("--webhook-url", default="", help="where events are sent")
    add(
        "--webhook-secret",
        action="append",
        default=[],
        metavar="SECRET",
        help="signs what is sent there; several sign together",
    )
    add("--ready-file", type=Path, help="the URL is written here once requests are answered")
    add("--record", type=Path, metavar="FILE", help="every answer and event, a line of JSON each")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    options = Options(
        arguments.secret_key,
        arguments.webhook_url,
        tuple(arguments.webhook_secret),
        arguments.time_scale,
        arguments.record,
    )
    emulator = make_emulator(options)
    runner = web.AppRunner(emulator.app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await runner.setup()
    try:
        await web.TCPSite(runner, arguments.host, arguments.port, backlog=1024).start()
        host, port = runner.addresses[0][:2]
        emulator.world.url = arguments.public_url or f"http://{host}:{port}"
        sys.stdout.write(
            "Reelmint's emulator of Stripe, not Stripe: no money is charged. "
            f"On {emulator.world.url}\n"
        )
        sys.stdout.flush()
        if arguments.ready_file:
            # A reader that waits for the file must never see half of it.
            part = arguments.ready_file.with_name(arguments.ready_file.name + ".part")
            part.write_text(emulator.world.url + "\n")
            part.replace(arguments.ready_file)
        await ended.wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    arguments = _arguments()
    if arguments.webhook_url and not all(arguments.webhook_secret or [""]):
        sys.exit("The emulator cannot start: --webhook-url needs --webhook-secret")
    try:
        asyncio.run(_serve(arguments))
    except OSError as error:
        sys.exit(f"The emulator cannot start: {error}")


main()
