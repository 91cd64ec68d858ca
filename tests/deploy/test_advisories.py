"""No locked version has a known weakness (`make audit`): pip-audit asks PyPI about all that the images hold.

A version that nobody could be asked about is not passed over: its lock's test is skipped and names it, or fails where
`AUDIT_ALL=1` asks for all (nightly, where the network is). An index that knows advisories of newest releases alone, as
mirrors do, answers for those.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

pytestmark = [pytest.mark.audit, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "deploy/locks").glob("*.lock"))
NEWEST = "https://pypi.org/pypi/{}/json"
# Weaknesses by version, or None where nobody answered.
Found = dict[str, list[str] | None]


@pytest.fixture(scope="module")
def audit(tool: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Mapping[str, str]], Found]:
    folder = tmp_path_factory.mktemp("audit")

    def run(versions: Mapping[str, str]) -> Found:
        pinned = folder / "requirements.txt"
        pinned.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
        options = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "10", "--format", "json")
        done = tool("pip-audit", *options, "--cache-dir", folder / "cache", "-r", pinned, check=False)
        try:
            told = json.loads(done.stdout)["dependencies"]
        except ValueError:  # the service did not answer at all
            told = []
        found: Found = dict.fromkeys(versions)
        found |= {one["name"]: [fault["id"] for fault in one["vulns"]] for one in told if "vulns" in one}
        unasked = [name for name, faults in found.items() if faults is None]
        with ThreadPoolExecutor(8) as pool:
            found |= dict(zip(unasked, pool.map(lambda name: _of_newest(name, versions[name]), unasked), strict=True))
        return found

    return run


def _of_newest(name: str, version: str) -> list[str] | None:
    """The weaknesses of a version that is its project's newest."""
    try:
        answer = httpx.get(NEWEST.format(name), timeout=10, follow_redirects=True).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return None
    if answer["info"]["version"] != version:
        return None
    return [one["id"] for one in answer["vulnerabilities"] if not one.get("withdrawn")]


def _locked(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", lock.read_text()))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_nothing_that_is_locked_has_a_known_weakness(lock: Path, audit: Callable[..., Found]) -> None:
    versions = _locked(lock)
    accepted = yaml.safe_load((ROOT / ".ci/accepted.yaml").read_text())["advisories"]
    found = audit(versions)
    weak = {name: set(faults) - set(accepted) for name, faults in found.items() if faults}
    assert {f"{name}=={versions[name]}": sorted(faults) for name, faults in weak.items() if faults} == {}
    unasked = [f"{name}=={versions[name]}" for name, faults in found.items() if faults is None]
    if unasked:
        count = f"{len(unasked)} of {len(versions)} in {lock.name}"
        told = f"NOT AUDITED: {count}, no advisories to be had: {' '.join(unasked)}"
        (pytest.fail if os.environ.get("AUDIT_ALL") else pytest.skip)(told)


def test_a_known_weakness_is_found(audit: Callable[..., Found]) -> None:
    found = audit({"pycrypto": "2.6.1"})["pycrypto"]
    if found is None:
        pytest.skip("NOT AUDITED: nobody answers about advisories")
    assert "PYSEC-2018-97" in found


def test_what_is_accepted_is_explained() -> None:
    accepted = yaml.safe_load((ROOT / ".ci/accepted.yaml").read_text())
    assert all(len(reason.split()) > 5 for kind in accepted.values() for reason in kind.values())
