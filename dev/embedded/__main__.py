"""python -m dev.embedded run | demo | exec [--services] -- COMMAND ...

Variables: PORT (8000), TIME_SCALE, EMULATOR_SIZE, DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL, and
GOOGLE_CLOUD_PROJECT + OUTPUT_BUCKET for the real provider, STRIPE_SECRET_KEY for the real Stripe;
everything else is passed on.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import FrameType

from dev.embedded import StackError
from dev.embedded.demo import demo
from dev.embedded.environment import Options, wants_real_provider, wants_real_stripe
from dev.embedded.paths import CHECKOUT
from dev.embedded.run import demo_key, run
from dev.embedded.stack import Stack

VAR = CHECKOUT / "var"
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


def with_environment(options: Options) -> Options:
    """The command's own options, overridden by the environment."""
    environment = os.environ
    emulator = not wants_real_provider(environment)
    ours = TRIAL if emulator and options.stripe and "SIGNUP_CREDITS" not in environment else {}
    return replace(
        options,
        environment={**options.environment, **ours},
        emulator=emulator,
        stripe=options.stripe and not wants_real_stripe(environment),
        receiver=options.receiver and "WEBHOOK_ALLOWED_ORIGINS" not in environment,
        time_scale=float(environment.get("TIME_SCALE") or options.time_scale),
        emulator_size=environment.get("EMULATOR_SIZE") or options.emulator_size,
        port=int(environment.get("PORT") or options.port),
        database_url=environment.get("DATABASE_URL") or None,
        database_owner_url=environment.get("DATABASE_OWNER_URL") or None,
        redis_url=environment.get("REDIS_URL") or None,
    )


# Whoever signs up makes a video or four before buying; where nothing costs money, nothing is lost.
TRIAL = {"SIGNUP_CREDITS": "1000"}
RUN = Options(
    port=8000,
    durable=True,
    time_scale=0.2,
    emulator_size="720p",
    stripe=True,
    receiver=True,
    waiter=True,
)
DEMO = Options(time_scale=0.05, one_worker=True, stripe=True, receiver=True)
EXEC = Options(time_scale=0.05)


def execute(command: list[str], services: bool) -> int:
    """Run a command on a stack of its own that is thrown away afterwards; its exit code.

    The command finds DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL, with services also BASE_URL
    and API_KEY.
    """
    options = with_environment(replace(EXEC, services=services))
    with (
        tempfile.TemporaryDirectory(prefix="reelmint-") as folder,
        Stack(Path(folder) / "var", options) as stack,
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
    parser = argparse.ArgumentParser(prog="python -m dev.embedded", description=__doc__)
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
            demo(VAR / "demo", with_environment(DEMO))
        else:
            run(VAR, with_environment(RUN))
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if arguments.command == "run" else INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
