"""The commands of deploy/README.md, as far as they go without a cluster.

kubectl asks an API server that knows the kinds of objects, has the secrets alone, and takes nothing
(`--dry-run=client`); the rollout goes to a service of the test's, which has the secrets mounted as in a cluster.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

pytestmark = pytest.mark.deploy

MAKE_SECRETS = ["deploy/keys", "--kubernetes"]
ROOT = Path(__file__).parents[2]


class ApiServer(ThreadingHTTPServer):
    """Discovery for the kinds it is told, the namespace's secrets, and nothing else. asked: what was asked of it."""

    daemon_threads = True

    def __init__(self, kinds: set[tuple[str, str]], secrets: dict[str, dict[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.secrets = secrets
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
        kept = "/api/v1/namespaces/perception-reward/secrets"
        known = self._discovery() | {
            f"{kept}/{name}": _secret(name, values) for name, values in self.server.secrets.items()
        }
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


def _secret(name: str, values: dict[str, str]) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": name, "namespace": "perception-reward"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


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
  *" patch secret perception-reward "*)
    {tool} --server "$SERVER" "$@" --dry-run=client --output 'jsonpath={{.data.keys\\.toml}}' |
      base64 --decode > "$PATCHED" ;;
  *" patch "*) exec {tool} --server "$SERVER" "$@" --dry-run=client ;;
  *) exec {tool} --server "$SERVER" "$@" ;;
esac
"""


@pytest.fixture
def cluster(tmp_path: Path, render: Callable[[str], Any]) -> Iterator[tuple[dict[str, str], ApiServer]]:
    """The environment in which the page's commands are run."""
    kinds = {(one["apiVersion"], one["kind"]) for profile in ("dev", "prod") for one in render(profile)}
    made = subprocess.check_output(MAKE_SECRETS, cwd=ROOT, text=True)
    secrets = {one["metadata"]["name"]: one["stringData"] for one in yaml.safe_load_all(made)}
    server = ApiServer(kinds, secrets)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    scripts = tmp_path / "bin"
    scripts.mkdir()
    for name in ("docker", "kind", "perception-reward"):
        (scripts / name).write_text(STAND_IN)
    (scripts / "kubectl").write_text(KUBECTL.format(tool=Path(os.environ["DEPLOY_TOOLS"]) / "kubectl"))
    for script in scripts.iterdir():
        script.chmod(0o755)
    environment = {
        "PATH": f"{scripts}:{os.environ['DEPLOY_TOOLS']}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RECORD": str(tmp_path / "record"),
        "PATCHED": str(tmp_path / "patched"),
        "SERVER": f"http://127.0.0.1:{server.server_address[1]}",
    }
    yield environment, server
    server.shutdown()
    server.server_close()


def test_from_nothing_to_a_scored_rollout(
    root: Path, cluster: tuple[dict[str, str], ApiServer], render: Callable[[str], Any], start_process: Any
) -> None:
    environment, server = cluster
    mounted = Mounted(Path(environment["HOME"]), server.secrets["perception-reward"]["keys.toml"])
    settings = {"api_keys_file": str(mounted.file), "workers": "1"}
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


class Mounted:
    """A secret as the kubelet mounts it: links to the files of a folder that is itself a link, which is replaced."""

    def __init__(self, folder: Path, text: str) -> None:
        self._folder = folder / "mounted"
        self._folder.mkdir()
        self._versions = 0
        self.file = self._folder / "keys.toml"
        self.file.symlink_to("..data/keys.toml")
        self.change(text)

    def change(self, text: str) -> None:
        self._versions += 1
        version = self._folder / f"..{self._versions}"
        version.mkdir()
        (version / "keys.toml").write_text(text)
        link = self._folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(self._folder / "..data")


def test_a_key_is_replaced_without_a_restart_and_without_a_refusal(
    root: Path, cluster: tuple[dict[str, str], ApiServer], start_process: Any, tmp_path: Path
) -> None:
    environment, server = cluster
    secret = server.secrets["perception-reward"]
    mounted = Mounted(tmp_path, secret["keys.toml"])
    settings = {"api_keys_file": str(mounted.file), "workers": "1", "annotations_watch": "0.05"}
    service = start_process(environment=settings)
    (tmp_path / "deploy").symlink_to(root / "deploy")

    def run(name: str) -> str:
        """What a block prints. The secret it makes reaches server and pods."""
        command = ["bash", "-euo", "pipefail", "-c", block(root, name) + '\nprintf "\\n%s\\n" "${new-}"\n']
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        secret["keys.toml"] = Path(environment["PATCHED"]).read_text()
        mounted.change(secret["keys.toml"])
        return done.stdout.splitlines()[-1]

    def status(key: str) -> int:
        return httpx.get(f"{service.url}/v1/profiles", headers={"Authorization": f"Bearer {key}"}).status_code

    def until(key: str, expected: int) -> None:
        deadline = time.monotonic() + 30
        while status(key) != expected:
            assert status(old if key == new else new) == 200
            assert time.monotonic() < deadline
            time.sleep(0.02)

    old = server.secrets["perception-reward-clients"]["trainer"]
    new = run("rotate")
    assert new != old
    until(new, 200)
    assert status(old) == 200
    run("rotated")
    until(old, 401)
    assert status(new) == 200


def test_each_holder_may_do_its_own_and_no_more(
    cluster: tuple[dict[str, str], ApiServer], start_process: Any, tmp_path: Path
) -> None:
    _, server = cluster
    mounted = Mounted(tmp_path, server.secrets["perception-reward"]["keys.toml"])
    service = start_process(environment={"api_keys_file": str(mounted.file), "workers": "1"})
    item = {"response": "AB = 5", "facts": [{"id": "f", "text": "Segment AB has length 5."}]}
    asked = {
        "score": ("POST", "/v1/score", {"items": [item]}),
        "annotate": ("PUT", "/v1/annotations/a", {"id": "a", "facts": [{"id": "f", "text": "AB is 5."}]}),
        "metrics": ("GET", "/metrics", None),
    }
    allowed = {}
    for name, key in server.secrets["perception-reward-clients"].items():
        headers = {"Authorization": f"Bearer {key}"}
        answers = {
            what: httpx.request(method, service.url + path, json=body, headers=headers, timeout=60).status_code
            for what, (method, path, body) in asked.items()
        }
        assert all(answer in (200, 201, 204, 403) for answer in answers.values()), answers
        allowed[name] = {what for what, answer in answers.items() if answer != 403}
    assert allowed == {
        "trainer": {"score"},
        "batch": {"score"},
        "curator": {"score", "annotate"},
        "prometheus": {"metrics"},
    }


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_kubectl_takes_every_object(
    name: str, root: Path, cluster: tuple[dict[str, str], ApiServer], render: Callable[[str], Any]
) -> None:
    environment, _ = cluster
    command = ["kubectl", "apply", "--kustomize", f"deploy/kustomize/overlays/{name}"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("created (dry run)") == len(render(name))


def test_one_box_is_given_its_keys_and_asked_with_the_trainers(
    root: Path, cluster: tuple[dict[str, str], ApiServer], tmp_path: Path, start_process: Any
) -> None:
    environment, _ = cluster
    shutil.copytree(root / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets", "helm", "locks"))
    # The container's folder, with a service of this machine behind it.
    (tmp_path / "bin/docker").write_text(STAND_IN + '[ -s "${@: -4:1}" ] && exec touch "$HOME/up"\n')
    subprocess.run([root / "deploy/keys", tmp_path / "deploy/secrets"], check=True)
    accepted = tmp_path / "deploy/secrets/accepted/keys.toml"
    service = start_process(environment={"api_keys_file": str(accepted), "workers": "1"})
    (tmp_path / "bin/perception-reward").unlink()
    commands = block(root, "box").replace("http://127.0.0.1:8420", service.url)
    made, *rest = commands.splitlines()
    assert made == "deploy/keys deploy/secrets"
    environment = environment | {"PATH": f"{environment['PATH']}:{Path(sys.executable).parent}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(rest)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "up").exists()
    key = (tmp_path / "deploy/secrets/trainer.key").read_text().strip()
    # Where other users of the machine could read it.
    assert key not in Path(environment["RECORD"]).read_text()


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
