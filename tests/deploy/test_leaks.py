"""No secret is written down in any file that git keeps (`make secrets`), by detect-secrets: keys of providers, tokens,
private keys, passwords in addresses, and strings that look drawn by lot."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.audit, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
OPTIONS = (
    # None is tried on whom it would open.
    "--no-verify",
    # Hashes of packages, digests of sentences that were read, and the made-up secrets below.
    *("--exclude-files", "^(deploy/locks/|tests/benchmarks/data/[a-z_]+[.]jsonl$|tests/deploy/test_leaks.py$)"),
    # The fingerprint of rules.
    *("--exclude-lines", '^rules = "[0-9a-f]{16}"$'),
    # What the name of a variable suggests: here it is a setting's name each time.
    *("--disable-plugin", "KeywordDetector"),
    # Where a reader puts a key.
    *("--exclude-secrets", "^(KEY|…)$"),
)


def leaks(tool: Any, folder: Path) -> set[str]:
    """What is found in what git keeps of a folder: a file and the start of the secret's digest, each."""
    results = json.loads(tool("detect-secrets", "scan", *OPTIONS, cwd=folder).stdout)["results"]
    return {f"{file} {one['hashed_secret'][:12]}" for file, found in results.items() for one in found}


def test_no_secret_is_kept(tool: Any) -> None:
    accepted = yaml.safe_load((ROOT / ".ci/accepted.yaml").read_text())["secrets"]
    found = leaks(tool, ROOT)
    assert sorted(found - set(accepted)) == []
    assert sorted(set(accepted) - found) == [], "nothing looks like these any more"


# Made up, and in pieces, for other scanners.
PRIVATE_KEY = (
    "-----BEGIN RSA PRIV" + "ATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n-----END"
)


@pytest.mark.parametrize(
    "secret",
    [
        'token = "gh' + 'p_wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"',
        'url = "redis://cache:c1f2' + 'a9d4e7@cache:6379/0"',
        'key = "9f86d081884c7d659a2f' + 'eaa0c55ad015a3bf4f1b2b0b822c"',
        PRIVATE_KEY + " RSA PRIV" + "ATE KEY-----",
        'hub = "hf_kJhGfDsAqW' + 'eRtYuIoPlKmNbVcXzQwErTyU"',
    ],
    ids=["token", "address", "digest", "private key", "hub"],
)
def test_a_secret_is_found(secret: str, tool: Any, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(secret + "\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    assert leaks(tool, tmp_path)
