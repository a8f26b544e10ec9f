"""python -m embedded run | demo | exec [--services] -- COMMAND ...

Variables: PORT (8000), TIME_SCALE, EMULATOR_SIZE, DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL, and
GOOGLE_CLOUD_PROJECT + OUTPUT_BUCKET for the real provider; everything else is passed on.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

from embedded import StackError
from embedded.demo import demo
from embedded.environment import Options, wants_real_provider
from embedded.paths import CHECKOUT
from embedded.run import demo_key, run
from embedded.stack import Stack

VAR = CHECKOUT / "var"
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


def options(
    time_scale: float, size: str, port: int = 0, services: bool = True, durable: bool = False
) -> Options:
    """The command's defaults, overridden by the environment."""
    return Options(
        port=port,
        services=services,
        emulator=not wants_real_provider(os.environ),
        durable=durable,
        time_scale=float(os.environ.get("TIME_SCALE") or time_scale),
        emulator_size=os.environ.get("EMULATOR_SIZE") or size,
        database_url=os.environ.get("DATABASE_URL") or None,
        database_owner_url=os.environ.get("DATABASE_OWNER_URL") or None,
        redis_url=os.environ.get("REDIS_URL") or None,
    )


def execute(command: list[str], services: bool) -> int:
    """Run a command on a stack of its own that is thrown away afterwards; its exit code.

    The command finds DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL, with services also BASE_URL
    and API_KEY.
    """
    with (
        tempfile.TemporaryDirectory(prefix="reelmint-") as folder,
        Stack(Path(folder) / "var", options(0.02, "small", services=services)) as stack,
    ):
        environment = stack.env | {"DATABASE_OWNER_URL": stack.owner_url}
        if services:
            environment |= {"BASE_URL": stack.base_url, "API_KEY": demo_key(stack)}
        return subprocess.run(command, env=environment, check=False).returncode


def interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM and a closed terminal end us the way Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """The exit code: 0 also for a `run` that was asked to end."""
    parser = argparse.ArgumentParser(prog="python -m embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="keep the stack up until Ctrl-C")
    commands.add_parser("demo", help="make one video through the API")
    exec_parser = commands.add_parser("exec", help="run a command on a temporary stack")
    exec_parser.add_argument("--services", action="store_true", help="web, workers and beat too")
    exec_parser.add_argument("argv", nargs="+", metavar="COMMAND")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    try:
        if arguments.command == "exec":
            return execute(arguments.argv, arguments.services)
        if arguments.command == "demo":
            demo(VAR / "demo", options(0.05, "small"))
        else:
            run(VAR, options(0.2, "720p", int(os.environ.get("PORT") or 8000), durable=True))
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if arguments.command == "run" else INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
