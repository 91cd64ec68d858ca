"""What a worker may not do, whatever hostile text makes of it: read what is not Python's, write, connect, run, fork.

    clean_environment(os.environ)  what the fork server is started with: no key, no password
    confine(code_folders())        in the fork server, once all is imported: its workers inherit it
    confine_worker(memory_mb)      in each worker, which need not fork nor signal anybody either

As far as the kernel has it: Landlock (since Linux 5.13) for files, a seccomp filter for system calls, and resource
limits. What it lacks is left out, and `confine` says what that is. Nothing here needs privileges.
"""

from __future__ import annotations

import ctypes
import os
import resource
import stat
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import suppress

from perception_reward.service.processes import seccomp

KEPT = frozenset({"PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV"})
KEPT_PREFIXES = ("LC_", "PYTHON")

# Files that a worker may hold open: its connection, and what an import reads.
MOST_FILES = 64

# Where shared libraries and the time zones are, beside what is Python's.
LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")

PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h

# linux/landlock.h. The numbers of its calls are the same on every architecture.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULESET_VERSION, RULE_PATH_BENEATH = 1, 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# By the version of Landlock from which it is known: all rights about files, TCP, signals and abstract sockets.
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
NETWORK_SINCE, NETWORK_RIGHTS = 4, 0b11
SCOPES_SINCE, SCOPES = 6, 0b11


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the environment Python, its libraries, the language and temporary files need."""
    return {name: value for name, value in environment.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}


def code_folders() -> list[str]:
    """Where the code is that this process runs, or may yet import."""
    # The current folder is on the path of `python -m`, and holds who knows what.
    folders = {*sysconfig.get_paths().values(), *sys.path} - {"", "/", os.getcwd()}
    for module in tuple(sys.modules.values()):
        paths = [path for path in getattr(module, "__path__", ()) if os.path.isdir(path)]
        # An editable installation is a folder of links, and what counts is where the files are.
        links = (os.path.join(path, "__init__.py") for path in paths)
        folders.update(paths, (os.path.dirname(os.path.realpath(link)) for link in links))
    return sorted(folders)


def confine(readable: Sequence[str]) -> list[str]:
    """Closes to this process and its children what only Linux can close, but for reading what is in `readable`.

    What could not be closed, and why.
    """
    if sys.platform != "linux":
        return [f"{sys.platform} has no sandbox for workers"]
    lacking: list[str] = []
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _restrict_files(libc, readable)
    except OSError as error:
        lacking.append(f"files are not closed to workers: {error}")
    try:
        seccomp.install(seccomp.process_filter())
    except OSError as error:
        lacking.append(f"system calls are not closed to workers: {error}")
    return lacking


def confine_worker(memory_mb: int) -> None:
    """Closes what the fork server itself needs. Best effort, as `confine`, which has told what is lacking."""
    limit = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    most = min(MOST_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.platform == "linux":
        with suppress(OSError):
            seccomp.install(seccomp.worker_filter(os.getpid()))


def _restrict_files(libc: ctypes.CDLL, readable: Sequence[str]) -> None:
    version = checked(libc.syscall(CREATE_RULESET, None, 0, RULESET_VERSION))
    files = FILE_RIGHTS[min(version, max(FILE_RIGHTS))]
    attributes = [files]
    if version >= NETWORK_SINCE:
        attributes.append(NETWORK_RIGHTS)
    if version >= SCOPES_SINCE:
        attributes.append(SCOPES)
    rules = (ctypes.c_uint64 * len(attributes))(*attributes)
    ruleset = checked(libc.syscall(CREATE_RULESET, ctypes.byref(rules), ctypes.sizeof(rules), 0))
    try:
        for path in (*readable, *LIBRARIES, *_own_libraries(), *DEVICES):
            with suppress(OSError):
                _allow(libc, ruleset, path)
        checked(libc.syscall(RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _own_libraries() -> list[str]:
    return [folder for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder]


def _allow(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    """Lets `path`, and what is beneath it, be read."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rule = _PathBeneath(READ_FILE | READ_DIR if folder else READ_FILE, descriptor)
        checked(libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(descriptor)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def checked(result: int) -> int:
    """What a call of the C library returned; OSError where it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
