"""What a worker cannot do, tried in a real one. Payloads are expressions for `eval`, which every worker can name."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from perception_reward.service.processes.outcomes import Crashed
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.service.processes.sandbox import clean_environment, code_folders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has what confines a worker")

SECRET = "key-that-no-worker-may-see"


@pytest.fixture
async def pool(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WorkerPool]:
    monkeypatch.setenv("PERCEPTION_REWARD_API_KEY", SECRET)
    monkeypatch.setenv("SOME_PASSWORD", SECRET)
    pool = WorkerPool(1, memory_mb=512)
    await pool.start()
    yield pool
    await pool.aclose()


async def outcome(pool: WorkerPool, payload: str) -> Any:
    deadline = asyncio.get_running_loop().time() + 30
    ((_, found),) = [pair async for pair in pool.map(eval, [payload], deadline=deadline)]
    return found


async def refused(pool: WorkerPool, payload: str) -> bool:
    found = await outcome(pool, payload)
    assert isinstance(found, Crashed), found
    return "PermissionError" in found.detail or "Operation not permitted" in found.detail


async def test_a_worker_has_no_secret_in_its_environment(pool: WorkerPool) -> None:
    environment = await outcome(pool, "dict(__import__('os').environ)")
    assert SECRET not in str(environment)
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("who", ["self", "ppid", "service"])
async def test_no_process_tells_a_worker_its_environment(pool: WorkerPool, who: str) -> None:
    pid = {"self": "'self'", "ppid": "__import__('os').getppid()", "service": str(os.getpid())}[who]
    assert await refused(pool, f"open('/proc/%s/environ' % {pid}).read()")


@pytest.mark.parametrize("what", ["read_text()", "write_text('')", "unlink()", "chmod(0)", "rename('/tmp/elsewhere')"])
async def test_a_worker_touches_no_file(pool: WorkerPool, tmp_path: Path, what: str) -> None:
    file = tmp_path / "precious"
    file.write_text("here")
    assert await refused(pool, f"__import__('pathlib').Path({str(file)!r}).{what}")
    assert file.read_text() == "here"


async def test_a_worker_makes_no_file(pool: WorkerPool, tmp_path: Path) -> None:
    assert await refused(pool, f"open({str(tmp_path / 'new')!r}, 'w')")
    assert await refused(pool, f"__import__('os').mkdir({str(tmp_path / 'new')!r})")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
async def test_a_worker_opens_no_socket(pool: WorkerPool, kind: str) -> None:
    assert await refused(pool, f"__import__('socket').socket(__import__('socket').{kind})")


async def test_a_worker_reaches_no_server(pool: WorkerPool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert await refused(pool, f"__import__('socket').create_connection(('127.0.0.1', {port}), 5)")


@pytest.mark.parametrize(
    "what", ["fork()", "system('true')", "execv('/bin/true', ['true'])", "posix_spawn('/bin/true', ['true'], {})"]
)
async def test_a_worker_runs_nothing_else(pool: WorkerPool, what: str) -> None:
    if what == "system('true')":
        assert await outcome(pool, "__import__('os').system('true')") != 0
    else:
        assert await refused(pool, f"__import__('os').{what}")


@pytest.mark.parametrize("signal", [0, 9])
async def test_a_worker_signals_nobody_else(pool: WorkerPool, signal: int) -> None:
    for pid in (str(os.getpid()), "__import__('os').getppid()", "0", "-1"):
        assert await refused(pool, f"__import__('os').kill({pid}, {signal})")


async def test_a_worker_does_what_it_is_there_for(pool: WorkerPool) -> None:
    assert await outcome(pool, "__import__('sympy').simplify('x + x').__str__()") == "2*x"
    assert await outcome(pool, "len(__import__('os').urandom(8))") == 8
    assert await outcome(pool, "__import__('threading').Thread(target=int).start()") is None
    assert await outcome(pool, "__import__('zoneinfo').available_timezones() is not None")


async def test_a_worker_leaves_no_core_and_few_files_open(pool: WorkerPool) -> None:
    limits = "[__import__('resource').getrlimit(i)[1] for i in (4, 1, 7)]"  # CORE, FSIZE, NOFILE on Linux
    assert await outcome(pool, limits) == [0, 0, 64]


def test_of_an_environment_only_what_python_needs_is_kept() -> None:
    kept = {"PATH": "/bin", "LANG": "C", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "TMPDIR": "/tmp"}
    secrets = {"PERCEPTION_REWARD_API_KEY": "x", "AWS_SECRET_ACCESS_KEY": "x", "HF_TOKEN": "x", "PATHS": "x"}
    assert clean_environment(kept | secrets) == kept


def test_code_that_an_installation_links_to_may_be_read_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package, links = tmp_path / "checkout" / "linked_package", tmp_path / "installed" / "linked_package"
    package.mkdir(parents=True)
    links.mkdir(parents=True)
    (package / "__init__.py").touch()
    (links / "__init__.py").symlink_to(package / "__init__.py")
    monkeypatch.syspath_prepend(str(links.parent))
    monkeypatch.setitem(sys.modules, "linked_package", importlib.import_module("linked_package"))
    assert {str(package), str(links)} <= set(code_folders())
