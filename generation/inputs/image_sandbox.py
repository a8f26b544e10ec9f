"""What the image child gives up before it looks at a stranger's bytes: nearly all of the kernel.

A decoder's bug may let the picture's author run code. Sealed, it can compute, use memory, write to
what is open, and end. The layers are limits of the process, Landlock and a seccomp filter; what a
kernel lacks is left out.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys

# Sources of all numbers: linux/seccomp.h, linux/filter.h, linux/landlock.h (kernel 5.13 and later),
# and the tables of system calls: arch/x86/entry/syscalls/syscall_64.tbl and
# include/uapi/asm-generic/unistd.h (aarch64).
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF, _LANDLOCK_VERSION = 444, 446, 1
# By Landlock's version: (rights over files, rights over TCP, scopes) that it can take away
_LANDLOCK_RIGHTS = {
    1: (13, 0, 0),
    2: (14, 0, 0),
    3: (15, 0, 0),
    4: (15, 2, 0),
    5: (16, 2, 0),
    6: (16, 2, 2),
}
# What is left: memory, the open pipes, locks, clocks, the current folder's name (Pillow asks for
# it) and the end. No file, no socket, no process, no signal to others. An unknown call, or one of
# another table (x32), fails as forbidden.
_ALLOWED = {  # name: number on x86_64, on aarch64
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "exit": (60, 93),
    "getcwd": (79, 17),
    "futex": (202, 98),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "exit_group": (231, 94),
    "getrandom": (318, 278),
}
# As the kernel names them to a filter (linux/audit.h), and the column of the numbers above
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # of the filter's machine
_ALLOW, _FORBID, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # 1 is EPERM
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET = 0, 4  # in struct seccomp_data


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def seal() -> None:
    """Give up files, sockets, processes and privileges for good, as far as this kernel can."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _restrict_files(libc)  # needs a descriptor, so it comes before the limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if sys.platform == "linux":
        _filter_calls(libc)


def _restrict_files(libc: ctypes.CDLL) -> None:
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    if version < 1:
        return
    files, network, scopes = _LANDLOCK_RIGHTS[min(version, max(_LANDLOCK_RIGHTS))]
    rights = struct.pack("<QQQ", *((1 << count) - 1 for count in (files, network, scopes)))
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, rights, ctypes.c_size_t(size), 0)
    if ruleset >= 0:
        libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)


def _filter_calls(libc: ctypes.CDLL) -> None:
    if platform.machine() not in _ARCHITECTURES or sys.maxsize < 2**32:
        return
    architecture, column = _ARCHITECTURES[platform.machine()]
    numbers = [pair[column] for pair in _ALLOWED.values()]
    steps = [
        _step(_LOAD_WORD, _ARCHITECTURE_OFFSET),
        _step(_JUMP_IF_EQUAL, architecture, 1),
        _step(_RETURN, _KILL),
        _step(_LOAD_WORD, _NUMBER_OFFSET),
        *(
            _step(_JUMP_IF_EQUAL, number, len(numbers) - place)
            for place, number in enumerate(numbers)
        ),
        _step(_RETURN, _FORBID),
        _step(_RETURN, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(steps))
    program = _Program(len(steps), ctypes.addressof(code))
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0)


def _step(code: int, value: int, jump: int = 0) -> bytes:
    """One instruction; ``jump`` is how many to skip if the comparison holds."""
    return struct.pack("=HBBI", code, jump, 0, value)
