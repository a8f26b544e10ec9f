"""PostgreSQL refuses to run as root. Where we are root, this finds who it can run as.

A user namespace is tried first: the process is user 1000 inside it and stays ours outside. So no
file changes hands, no system user is made, and a checkout below a closed home folder works.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dev.embedded import StackError
from dev.embedded.paths import private_dir

CLONE_NEWUSER = 0x10000000  # linux/sched.h
INNER_ID = 1000
_libc = ctypes.CDLL(None, use_errno=True)  # loaded before any fork: after it only calls are safe


@dataclass(frozen=True)
class Identity:
    """The user of a program: the child first changes to ``user``, then calls ``enter``."""

    enter: Callable[[], None] | None = None
    user: str | None = None

    @property
    def group(self) -> int | None:
        """The primary group of ``user``."""
        return None if self.user is None else pwd.getpwnam(self.user).pw_gid

    def take(self, folder: Path) -> None:
        """Make ``folder``, or make it the identity's; nobody else may enter it."""
        if self.user is None:
            private_dir(folder)
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(folder, pwd.getpwnam(self.user).pw_uid, self.group or -1, follow_symlinks=False)
        if not _open(folder.parent):
            folder.parent.chmod(0o711)  # to be passed through, not to be listed
        closed = [str(parent) for parent in folder.resolve().parents if not _open(parent)]
        if closed:
            raise StackError(
                f"PostgreSQL does not run as root, and {self.user} cannot enter {closed[0]}. "
                "Run as an ordinary user, or set DATABASE_URL."
            )


def _open(folder: Path) -> bool:
    return bool(folder.stat().st_mode & 0o001)


def enter_user_namespace() -> None:
    """Become user 1000 of a new user namespace which is us outside. Raises OSError."""
    outer_user, outer_group = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    # user_namespaces(7): without this the group map may not be written
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{INNER_ID} {outer_user} 1"),
        ("gid_map", f"{INNER_ID} {outer_group} 1"),
    ):
        file = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(file, text.encode())
        os.close(file)


OURSELVES = Identity()


@cache
def identity() -> Identity:
    """Who PostgreSQL is started as here: ourselves, a namespace, or the user nobody."""
    if os.geteuid() != 0:
        return OURSELVES
    try:
        subprocess.run(["true"], preexec_fn=enter_user_namespace, check=True)
    except (OSError, subprocess.SubprocessError):
        return Identity(user="nobody")
    return Identity(enter=enter_user_namespace)
