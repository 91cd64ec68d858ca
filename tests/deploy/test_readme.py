"""The commands of deploy/README.md, as far as they go without a cluster.

kubectl asks an API server that knows the kinds of objects and has none of them, and takes nothing (`--dry-run=client`);
the rollout goes to a service of the test's.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.deploy

KEY = "the-key-of-the-test"


class ApiServer(ThreadingHTTPServer):
    """Discovery for the kinds it is told, the namespace's secret, and nothing else. asked: what was asked of it."""

    daemon_threads = True

    def __init__(self, kinds: set[tuple[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.groups: dict[str, list[str]] = {}
        for version, kind in sorted(kinds | {("v1", "Namespace"), ("v1", "Secret")}):
            self.groups.setdefault(version, []).append(kind)
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def log_message(self, format: str, *args: object) -> None: ...

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.server.asked.append(f"GET {path}")
        known = self._discovery() | {"/api/v1/namespaces/perception-reward/secrets/perception-reward": _secret()}
        found = known.get(path)
        body = json.dumps(found or {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound"})
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        self.server.asked.append(f"POST {self.path}")
        self.send_error(405)

    do_PATCH = do_PUT = do_DELETE = do_POST

    def _discovery(self) -> dict[str, Any]:
        named = [version for version in self.server.groups if "/" in version]
        groups = [
            {
                "name": version.split("/")[0],
                "versions": [{"groupVersion": version, "version": version.split("/")[1]}],
                "preferredVersion": {"groupVersion": version, "version": version.split("/")[1]},
            }
            for version in named
        ]
        lists = {
            f"/apis/{version}" if "/" in version else f"/api/{version}": {
                "kind": "APIResourceList",
                "groupVersion": version,
                "resources": [_resource(kind) for kind in kinds],
            }
            for version, kinds in self.server.groups.items()
        }
        return lists | {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        }


def _resource(kind: str) -> dict[str, Any]:
    plural = kind.lower().removesuffix("y") + ("ies" if kind.endswith("y") else "s")
    verbs = ["create", "get", "list", "patch", "update", "watch", "delete"]
    return {
        "name": plural,
        "singularName": kind.lower(),
        "namespaced": kind != "Namespace",
        "kind": kind,
        "verbs": verbs,
    }


def _secret() -> dict[str, Any]:
    data = {"api-key": base64.b64encode(KEY.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "perception-reward"}, "data": data}


def block(root: Path, name: str) -> str:
    text = (root / "deploy/README.md").read_text()
    (found,) = re.findall(rf"<!-- run: {name} -->\n```sh\n(.*?)```", text, re.DOTALL)
    return found


# What has no counterpart without a cluster: it says what it was asked, and succeeds.
STAND_IN = '#!/usr/bin/env bash\nprintf "%s\\n" "${0##*/} $*" >> "$RECORD"\n'
KUBECTL = """\
#!/usr/bin/env bash
printf '%s\\n' "kubectl $*" >> "$RECORD"
case " $* " in
  *" rollout "* | *" port-forward "*) exit 0 ;;
  *" apply "*) exec {tool} --server "$SERVER" "$@" --dry-run=client --validate=false ;;
  *" create "*) exec {tool} --server "$SERVER" "$@" --dry-run=client --validate=false ;;
  *) exec {tool} --server "$SERVER" "$@" ;;
esac
"""


@pytest.fixture
def cluster(tmp_path: Path, render: Callable[[str], Any]) -> Iterator[tuple[dict[str, str], ApiServer]]:
    """The environment in which the page's commands are run."""
    kinds = {(one["apiVersion"], one["kind"]) for profile in ("dev", "prod") for one in render(profile)}
    server = ApiServer(kinds)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    scripts = tmp_path / "bin"
    scripts.mkdir()
    for name in ("docker", "kind"):
        (scripts / name).write_text(STAND_IN)
    (scripts / "kubectl").write_text(KUBECTL.format(tool=Path(os.environ["DEPLOY_TOOLS"]) / "kubectl"))
    for script in scripts.iterdir():
        script.chmod(0o755)
    environment = {
        "PATH": f"{scripts}:{os.environ['DEPLOY_TOOLS']}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RECORD": str(tmp_path / "record"),
        "SERVER": f"http://127.0.0.1:{server.server_address[1]}",
    }
    yield environment, server
    server.shutdown()
    server.server_close()


def test_from_nothing_to_a_scored_rollout(
    root: Path, cluster: tuple[dict[str, str], ApiServer], render: Callable[[str], Any], start_process: Any
) -> None:
    environment, server = cluster
    settings = {"api_key": KEY, "workers": "1"}
    annotations = root / "deploy/kustomize/base/annotations.jsonl"
    service = start_process("--annotations", str(annotations), environment=settings)
    commands = block(root, "dev").replace("http://127.0.0.1:8420", service.url)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *told, answer = done.stdout.splitlines()
    (promised,) = re.findall(r'The answer holds `"score": ([\d.]+)`', (root / "deploy/README.md").read_text())
    assert json.loads(answer)["results"][0]["score"] == pytest.approx(float(promised))
    assert any(line.startswith("secret/perception-reward ") for line in told)
    for one in render("dev"):
        assert any(f"/{one['metadata']['name']} created (dry run)" in line for line in told), one["metadata"]["name"]
    assert not [one for one in server.asked if not one.startswith("GET ")]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_kubectl_takes_every_object(
    name: str, root: Path, cluster: tuple[dict[str, str], ApiServer], render: Callable[[str], Any]
) -> None:
    environment, _ = cluster
    command = ["kubectl", "apply", "--kustomize", f"deploy/kustomize/overlays/{name}"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("created (dry run)") == len(render(name))


def test_the_charts_command_renders(root: Path, cluster: tuple[dict[str, str], ApiServer]) -> None:
    environment, _ = cluster
    command = block(root, "chart").replace("helm install", "helm template")
    done = subprocess.run(["bash", "-euc", command], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Qwen/Qwen2.5-32B-Instruct" in done.stdout
    assert "--tensor-parallel-size=2" in done.stdout


def test_every_link_leads_somewhere(root: Path) -> None:
    for page in (root / "deploy/README.md", root / "deploy/runbooks.md"):
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            path, _, anchor = link.partition("#")
            if path.startswith("https:"):
                continue
            target = page.parent / path if path else page
            assert target.exists(), link
            if anchor:
                headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
                assert anchor in {_anchor(heading) for heading in headings}, link


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")
