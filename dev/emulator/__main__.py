"""The command line: ``python -m dev.emulator --help``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from aiohttp import web

from dev.emulator.app import make_emulator
from dev.emulator.options import (
    LATENCY_FAST,
    LATENCY_IMAGE,
    LATENCY_OMNI,
    LATENCY_STANDARD,
    VIDEO_SIZES,
    Options,
)

SHUTDOWN_SECONDS = 0.5


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.emulator",
        description="Reelmint's Vertex AI emulator. Its outputs are synthetic. See README.md.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=9000, help="0 picks a free one (default: %(default)s)")
    add("--public-url", help="how others reach it, if not by host and port (containers)")
    add("--data-dir", type=Path, help="where objects are kept (default: a temporary folder)")
    add("--size", choices=sorted(VIDEO_SIZES), default="720p", help="pixels of what is rendered")
    add("--time-scale", type=float, default=1.0, help="multiplies the usual latencies")
    add("--latency-fast", type=float, help="seconds for a video of a fast model")
    add("--latency-standard", type=float, help="seconds for a video of a standard model")
    add("--latency-omni", type=float, help="seconds for a video of Gemini Omni")
    add("--latency-image", type=float, help="seconds for an image")
    add("--plain", action="store_true", help="the same file for every prompt, for load tests")
    add("--replay", type=Path, metavar="FILE", help="this MP4 file for every video; with --plain")
    add(
        "--threads",
        type=int,
        default=2,
        choices=range(1, 17),
        metavar="N",
        help="videos rendered at once (default: %(default)s)",
    )
    add("--ready-file", type=Path, help="the URL is written here once requests are answered")
    add("--write-credentials", type=Path, help="a service-account file for google-auth")
    return parser.parse_args()


def _options(arguments: argparse.Namespace, data_dir: Path) -> Options:
    usual = {
        "fast": (arguments.latency_fast, LATENCY_FAST),
        "standard": (arguments.latency_standard, LATENCY_STANDARD),
        "omni": (arguments.latency_omni, LATENCY_OMNI),
        "image": (arguments.latency_image, LATENCY_IMAGE),
    }
    latency = {
        kind: default * arguments.time_scale if given is None else given
        for kind, (given, default) in usual.items()
    }
    replay = arguments.replay.read_bytes() if arguments.replay else None
    plain = arguments.plain or replay is not None
    return Options(data_dir, arguments.size, latency, plain, arguments.threads, replay)


async def _serve(arguments: argparse.Namespace, data_dir: Path) -> None:
    emulator = make_emulator(_options(arguments, data_dir))
    runner = web.AppRunner(emulator.app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await runner.setup()
    try:
        await web.TCPSite(runner, arguments.host, arguments.port, backlog=1024).start()
        host, port = runner.addresses[0][:2]
        url = arguments.public_url or f"http://{host}:{port}"
        if arguments.write_credentials:
            emulator.tokens.write_credentials(arguments.write_credentials, url)
        sys.stdout.write(
            f"Reelmint's Vertex AI emulator, not Google: outputs are synthetic. On {url}\n"
        )
        sys.stdout.flush()
        if arguments.ready_file:
            _write_whole(arguments.ready_file, url + "\n")
        await ended.wait()
    finally:
        await runner.cleanup()


def _write_whole(path: Path, text: str) -> None:
    # A reader that waits for the file must never see half of it.
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.replace(path)


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    arguments = _arguments()
    # Rendering threads hand the interpreter over this often (seconds), so that polls stay quick.
    sys.setswitchinterval(0.0005)
    try:
        if arguments.data_dir:
            asyncio.run(_serve(arguments, arguments.data_dir))
            return
        with tempfile.TemporaryDirectory(prefix="emulator-data-") as folder:
            asyncio.run(_serve(arguments, Path(folder)))
    except OSError as error:
        sys.exit(f"The emulator cannot start: {error}")


main()
