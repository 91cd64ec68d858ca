"""The tools of `make test-deploy`, and every profile as kustomize renders it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
OVERLAYS = (ROOT / "deploy/kustomize/overlays").glob("*/kustomization.yaml")
# Components that no overlay has, each on the base.
ALONE = (Path(__file__).parent / "profiles").glob("*/kustomization.yaml")
PROFILES = {path.parent.name: path.parent for path in (*sorted(OVERLAYS), *sorted(ALONE))}

Object = dict[str, Any]
Tool = Callable[..., "subprocess.CompletedProcess[str]"]


class Rendered(tuple[Object, ...]):
    """The objects of a profile."""

    __slots__ = ()

    def of(self, kind: str) -> list[Object]:
        return [one for one in self if one["kind"] == kind]

    def named(self, kind: str, name: str) -> Object:
        (found,) = (one for one in self.of(kind) if one["metadata"]["name"] == name)
        return found

    @property
    def pods(self) -> dict[str, Object]:
        """Each pod template, by the name of what makes pods of it."""
        makers = (one for kind in ("Deployment", "StatefulSet", "Job") for one in self.of(kind))
        found = {one["metadata"]["name"]: one["spec"]["template"] for one in makers}
        for one in self.of("RayJob"):
            cluster = one["spec"]["rayClusterSpec"]
            found[f"{one['metadata']['name']} head"] = cluster["headGroupSpec"]["template"]
            found |= {
                f"{one['metadata']['name']} {group['groupName']}": group["template"]
                for group in cluster["workerGroupSpecs"]
            }
        return found


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Run a tool: `tool("helm", "template", …)`. A tool that fails is an error, unless `check=False`."""
    folder = os.environ.get("DEPLOY_TOOLS")
    if folder is None:
        pytest.fail("DEPLOY_TOOLS names no folder: run `make test-deploy`, which fetches the tools and sets it")

    def run(name: str, *arguments: object, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [str(Path(folder) / name), *map(str, arguments)]
        # checkov and kubernetes-validate are scripts of that folder's Python; nothing may reach for the network.
        done = subprocess.run(command, capture_output=True, text=True, timeout=250, **options)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command[:4])} … failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done

    return run


@pytest.fixture(scope="session")
def render(tool: Tool) -> Callable[[str], Rendered]:
    """The objects of a profile, as `kubectl kustomize` renders them. Not to be changed by a test."""

    @cache
    def rendered(profile: str) -> Rendered:
        return Rendered(yaml.safe_load_all(tool("kubectl", "kustomize", PROFILES[profile]).stdout))

    return rendered


@pytest.fixture(scope="session")
def all_profiles() -> list[str]:
    return list(PROFILES)


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(profile: str) -> Path:
    """Where the profile's kustomization is."""
    return PROFILES[profile]


@pytest.fixture
def objects(profile: str, render: Callable[[str], Rendered]) -> Rendered:
    return render(profile)
