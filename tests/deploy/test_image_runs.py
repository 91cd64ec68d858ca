"""The images, built and run as a cluster would: a user without rights, on a root file system that is read only.

It needs root, buildah and debootstrap, and package indexes, but no registry: the base image is made on the spot, of the
Debian release and the Python that the Dockerfile names. `judge-cpu`, `batch` and `all-in-one` are not built: they
take gigabytes, torch's own index and vLLM's own image. What their recipes say is held by test_images.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from packaging.utils import canonicalize_name

pytestmark = [pytest.mark.image, pytest.mark.timeout(1500)]

ROOT = Path(__file__).parents[2]
PACKAGES = "python3,python3-venv,ca-certificates"
# As a base image of python:3.11-slim has it, but for the place of the authority that packages are fetched with.
PIP = "[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ndisable-pip-version-check = true\n"


class Buildah:
    """buildah with chroot isolation and a store of its own."""

    def __init__(self, folder: Path) -> None:
        store = folder / "storage.conf"
        store.write_text(f'[storage]\ndriver = "vfs"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n')
        self.environment = os.environ | {"CONTAINERS_STORAGE_CONF": str(store), "BUILDAH_ISOLATION": "chroot"}

    def __call__(self, *arguments: object) -> str:
        command = ["buildah", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    if os.geteuid() or not shutil.which("buildah") or not shutil.which("debootstrap"):
        pytest.fail("it needs root, buildah and debootstrap: apt-get install -y buildah debootstrap")
    folder = tmp_path_factory.mktemp("images")
    yield Buildah(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def base(buildah: Buildah, tmp_path_factory: pytest.TempPathFactory) -> str:
    tree = tmp_path_factory.mktemp("base")
    debian = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(tree)]
    subprocess.run(debian, check=True, capture_output=True, timeout=900)
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", tree / "etc/ssl/certs/ca-certificates.crt")
    (tree / "etc/pip.conf").write_text(PIP)
    container = buildah("from", "scratch")
    buildah("copy", "-q", container, tree, "/")
    buildah("commit", "-q", container, "localhost/base")
    buildah("rm", container)
    shutil.rmtree(tree)
    return "localhost/base"


def built(buildah: Buildah, base: str, target: str) -> str:
    """The name of an image of the Dockerfile."""
    tag = f"localhost/perception-reward-{target}:test"
    recipe = ("--file", "deploy/Dockerfile", "--ignorefile", "deploy/Dockerfile.dockerignore", "--target", target)
    # The Docker format alone has a health check.
    buildah("bud", "--format", "docker", *recipe, "--build-arg", f"BASE={base}", "--tag", tag, ".")
    return tag


def config_of(buildah: Buildah, image: str) -> dict[str, Any]:
    return json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]


@pytest.fixture(scope="module")
def image(buildah: Buildah, base: str) -> str:
    return built(buildah, base, "api")


@pytest.fixture(scope="module")
def config(buildah: Buildah, image: str) -> dict[str, Any]:
    return config_of(buildah, image)


class Container:
    """The image's root, mounted read only in a name space of its own, and a process in it as the image's user."""

    def __init__(self, root: Path, config: dict[str, Any], **environment: str) -> None:
        self.root, self.config = root, config
        self.environment = dict(one.split("=", 1) for one in config["Env"]) | environment

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        # What a container has of its own: /proc, /tmp and /cache. Everything else stays as it was built.
        setup = """
            mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"
            mount -t proc proc "$0/proc"
            mount -t tmpfs -o mode=1777 tmp "$0/tmp"
            [ ! -d "$0/cache" ] || mount -t tmpfs -o mode=1777 cache "$0/cache"
            mount --rbind -o ro /dev "$0/dev"
            exec chroot --userspec="$1" "$0" /usr/bin/env -i "${@:2}"
        """
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        user = self.config["User"]
        line = ["unshare", "--mount", "bash", "-euc", setup, str(self.root), user, *variables, *command]
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *command: str) -> tuple[int, str]:
        process = self.start(list(command))
        output, _ = process.communicate(timeout=120)
        return process.returncode, output


@pytest.fixture(scope="module")
def root(buildah: Buildah, image: str) -> Iterator[Path]:
    container = buildah("from", "--pull-never", image)
    yield Path(buildah("mount", container))
    buildah("rm", container)


@pytest.fixture(scope="module")
def served(root: Path, config: dict[str, Any]) -> Iterator[tuple[str, Container]]:
    port = free_port()
    settings = {"PERCEPTION_REWARD_API_KEY": "a-key", "PERCEPTION_REWARD_HOST": "127.0.0.1"}
    container = Container(root, config, **settings, PERCEPTION_REWARD_PORT=str(port), PERCEPTION_REWARD_WORKERS="1")
    process = container.start([*config["Entrypoint"], *config["Cmd"]])
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 90
    while not _ready(url):
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            pytest.fail(f"the service does not get ready:\n{process.communicate()[0][-3000:]}")
        time.sleep(0.2)
    yield url, container
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_rollout_is_scored_through_it(served: tuple[str, Container]) -> None:
    url, _ = served
    facts = [{"id": "f1", "text": "Segment AC has length 9."}, {"id": "f2", "text": "Segment BC has length 12."}]
    response = "<think>\nAC = 9, and so AB = 15.\n</think>\n<answer>\n\\boxed{15}\n</answer>"
    body = {"items": [{"id": "r", "facts": facts, "answer": "15", "response": response}]}
    assert httpx.post(f"{url}/v1/score", json=body).status_code == 401
    answer = httpx.post(f"{url}/v1/score", json=body, headers={"Authorization": "Bearer a-key"}, timeout=60).json()
    (result,) = answer["results"]
    assert result["status"] == "ok"
    assert result["components"] == {"format": 1.0, "accuracy": 1.0, "perception": 0.5, "repetition": 0.0}


def test_it_has_no_rights_and_writes_nothing_but_its_own(served: tuple[str, Container], root: Path) -> None:
    _, container = served
    status, output = container.run("python3", "-c", "import os; print(os.getuid(), os.getgid())")
    assert (status, output) == (0, "10001 10001\n")
    for place in ("/", "/opt/service", "/etc", "/home"):
        assert container.run("touch", f"{place}/x")[0] != 0
    for place in ("/tmp", "/cache"):
        assert container.run("touch", f"{place}/x")[0] == 0
    assert not list((root / "opt/service").rglob("*.pyc.*"))


def test_its_health_check_tells_whether_it_is_ready(served: tuple[str, Container], config: dict[str, Any]) -> None:
    url, container = served
    kind, *command = config["Healthcheck"]["Test"]
    assert kind == "CMD"
    here = [part.replace("http://127.0.0.1:8420", url) for part in command]
    assert container.run(*here)[0] == 0
    assert container.run(*(part.replace(url, "http://127.0.0.1:9") for part in here))[0] != 0


def test_without_a_key_it_does_not_start(root: Path, config: dict[str, Any]) -> None:
    status, output = Container(root, config).run(*config["Entrypoint"], *config["Cmd"])
    assert status == 2
    assert "PERCEPTION_REWARD_API_KEY" in output


def test_it_holds_no_torch_no_tests_and_no_history(root: Path) -> None:
    packages = root / "opt/service/lib/python3.11/site-packages"
    assert (packages / "perception_reward/service/api/score.py").exists()
    assert not list(packages.glob("torch*"))
    assert not (root / "source").exists()
    assert not (root / "locks").exists()


def test_models_can_be_fetched_with_it(root: Path, config: dict[str, Any]) -> None:
    """The component model-cache does."""
    status, output = Container(root, config).run("hf", "download", "--help")
    assert status == 0, output


def bill_of_materials(tool: Any, environment: Path, folder: Path) -> dict[str, str]:
    """Each package's version, by the image's environment itself."""
    bill = folder / "sbom.json"
    source = ("--from", "cyclonedx-bom==7.5.0", "cyclonedx-py", "environment", environment)
    tool("uv", "tool", "run", *source, "--output-file", bill)
    return {canonicalize_name(one["name"]): one["version"] for one in json.loads(bill.read_text())["components"]}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def locked(name: str) -> dict[str, str]:
    text = (ROOT / f"deploy/locks/{name}.lock").read_text()
    return dict(re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", text))


def test_its_bill_of_materials_names_what_is_in_it(root: Path, tool: Any, tmp_path: Path) -> None:
    found = bill_of_materials(tool, root / "opt/service", tmp_path)
    lock = locked("api")
    assert found["perception-reward"]
    assert all(found[name] == lock[name] for name in ("fastapi", "redis", "numpy", "opentelemetry-sdk"))


# The router.


@pytest.fixture(scope="module")
def router(buildah: Buildah, base: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    image = built(buildah, base, "router")
    container = buildah("from", "--pull-never", image)
    yield Path(buildah("mount", container)), config_of(buildah, image)
    buildah("rm", container)


class Worker(BaseHTTPRequestHandler):
    """A judge that is well."""

    def log_message(self, format: str, *args: object) -> None: ...

    def do_GET(self) -> None:
        body = b'{"object": "list", "data": [{"id": "m", "object": "model"}]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Worker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_the_router_runs_without_rights_and_says_whether_it_is_well(
    router: tuple[Path, dict[str, Any]], worker: str
) -> None:
    root, config = router
    assert config["User"] == "10001:10001"
    container = Container(root, config, PYTHONDONTWRITEBYTECODE="1")
    assert container.run("touch", "/tmp/x")[0] == 0
    for place in ("/", "/opt", "/etc"):
        assert container.run("touch", f"{place}/x")[0] != 0
    port = free_port()
    kind, *health = config["Healthcheck"]["Test"]
    assert kind == "CMD"
    health = [part.replace(":8000", f":{port}") for part in health]
    assert container.run(*health)[0] != 0
    # It listens once a judge is there.
    ports = ("--host=127.0.0.1", f"--port={port}", f"--prometheus-port={free_port()}")
    process = container.start([*config["Entrypoint"], *ports, "--worker-urls", worker])
    try:
        until = time.monotonic() + 240
        while container.run(*health)[0]:
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                pytest.fail(f"it does not get well:\n{process.communicate()[0][-3000:]}")
            time.sleep(0.5)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_the_routers_bill_of_materials_is_its_lock(
    router: tuple[Path, dict[str, Any]], tool: Any, tmp_path: Path
) -> None:
    found = bill_of_materials(tool, router[0] / "opt/router", tmp_path)
    lock = locked("router")
    assert {name: found.get(name) for name in lock} == lock
    assert set(found) - set(lock) <= {"pip", "setuptools"}
