"""System calls that the kernel refuses to a process and its children, by a seccomp filter.

    install(process_filter())              # no sockets, no programs, nothing written
    install(worker_filter(os.getpid()))    # no forks, and no signal to anybody else

A filter is a program for the kernel's small machine (classic BPF) that looks at the number and the arguments of each
system call. A call that is refused fails with EPERM; nothing is killed. Linux on x86_64 and aarch64; OSError elsewhere.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping

# linux/prctl.h, linux/seccomp.h
PR_SET_SECCOMP, MODE_FILTER = 22, 2
ALLOW, REFUSE = 0x7FFF0000, 0x00050000

# linux/bpf_common.h: load a word, jump if equal, if at least, or if bits are set; return.
LOAD, IF_EQUAL, IF_LEAST, IF_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# struct seccomp_data: where the number, the architecture and the low half of each argument are.
NUMBER, ARCHITECTURE = 0, 4
ARGUMENTS = (16, 24, 32, 40, 48, 56)

# linux/audit.h
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# The calls of x86_64's 32-bit dialect.
OTHER_DIALECT = 0x40000000

# Numbers on x86_64 and aarch64: arch/x86/entry/syscalls/syscall_64.tbl, asm-generic/unistd.h. None: there is no such.
Calls = Mapping[str, tuple[int | None, int | None]]
# To reach others, run programs, and look into other processes. The sockets that a process has go on working.
REACHING: Calls = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "io_uring_setup": (425, 425), "execve": (59, 221),
    "execveat": (322, 281), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "perf_event_open": (298, 241), "bpf": (321, 280), "userfaultfd": (323, 282),
}  # fmt: skip
# To change what files there are, and what is known of them.
CHANGING: Calls = {
    "creat": (85, None), "truncate": (76, 45), "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None),
    "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None),
    "mknodat": (259, 33), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None),
    "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
}  # fmt: skip
# To use the rights of a root user.
RULING: Calls = {
    "mount": (165, 40), "umount2": (166, 39), "unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51),
    "pivot_root": (155, 41), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "open_by_handle_at": (304, 265), "init_module": (175, 105), "finit_module": (313, 273),
}  # fmt: skip
FORKING: Calls = {"fork": (57, None), "vfork": (58, None)}
# Their first argument is the process.
SIGNALLING: Calls = {
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}  # fmt: skip
SIGNALLING_BY_DESCRIPTOR: Calls = {"pidfd_send_signal": (424, 424)}
OPEN: Calls = {"open": (2, None)}
OPENAT: Calls = {"openat": (257, 56)}
CLONE: Calls = {"clone": (56, 220)}
# Their arguments are behind a pointer, where a filter cannot look: said not to exist, the older call is tried.
OPENAT2: Calls = {"openat2": (437, 437)}
CLONE3: Calls = {"clone3": (435, 435)}

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CLONE_THREAD = 0x00010000

Instruction = tuple[int, int, int, int]


def process_filter() -> list[Instruction]:
    """For the fork server and its workers: nothing is reached, run or written."""
    return [
        *_same_architecture(),
        *_refuse({**REACHING, **CHANGING, **RULING}),
        *_refuse(OPENAT2, errno.ENOSYS),
        *_refuse_bits(OPEN, 1, WRITING),
        *_refuse_bits(OPENAT, 2, WRITING),
        (RETURN, 0, 0, ALLOW),
    ]


def worker_filter(pid: int) -> list[Instruction]:
    """For the worker `pid`, beside that: it forks no process, and signals none but itself."""
    return [
        *_same_architecture(),
        *_refuse({**FORKING, **SIGNALLING_BY_DESCRIPTOR}),
        *_refuse(CLONE3, errno.ENOSYS),
        *_call(CLONE, [(LOAD, 0, 0, ARGUMENTS[0]), (IF_BITS, 1, 0, CLONE_THREAD)]),
        *_call(SIGNALLING, [(LOAD, 0, 0, ARGUMENTS[0]), (IF_EQUAL, 1, 0, pid)]),
        (RETURN, 0, 0, ALLOW),
    ]


def install(instructions: list[Instruction]) -> None:
    """For this process and its children, for good. OSError where the kernel has no filters or was not prepared."""
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(instructions), ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _same_architecture() -> list[Instruction]:
    """Numbers mean something else to other architectures: their calls are refused."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no filter is known for {machine}")
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (IF_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, REFUSE | errno.EPERM),
        (LOAD, 0, 0, NUMBER),
        (IF_LEAST, 0, 1, OTHER_DIALECT),
        (RETURN, 0, 0, REFUSE | errno.ENOSYS),
    ]


def _refuse(calls: Calls, error: int = errno.EPERM) -> list[Instruction]:
    return _call(calls, [], error)


def _refuse_bits(calls: Calls, argument: int, bits: int) -> list[Instruction]:
    return _call(calls, [(LOAD, 0, 0, ARGUMENTS[argument]), (IF_BITS, 0, 1, bits)])


def _call(calls: Calls, condition: list[Instruction], error: int = errno.EPERM) -> list[Instruction]:
    """Refuses each of `calls`. The condition's last jump goes one instruction on where the call is allowed."""
    allowed = [(RETURN, 0, 0, ALLOW)] if condition else []
    block = [*condition, (RETURN, 0, 0, REFUSE | error), *allowed]
    return [instruction for number in _numbers(calls) for instruction in [(IF_EQUAL, 0, len(block), number), *block]]


def _numbers(calls: Calls) -> list[int]:
    column = list(ARCHITECTURES).index(platform.machine())
    return [number for numbers in calls.values() if (number := numbers[column]) is not None]
