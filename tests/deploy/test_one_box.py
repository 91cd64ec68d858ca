"""compose and systemd, for one box: they hold to their schemas, and say what the manifests say."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from perception_reward.service import server
from perception_reward.service.keyring import Keyring
from perception_reward.service.settings import ENVIRONMENT_PREFIX, Settings, load

pytestmark = pytest.mark.deploy

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_compose_holds_to_the_schema(tool: Any, tmp_path: Path, compose: dict[str, Any]) -> None:
    check = Path(__file__).parent / "schemas/check.py"
    assert tool("python", check, DEPLOY / "compose.yaml", "compose-spec").stdout == ""
    compose["services"]["api"]["read_onli"] = True
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(compose))
    del compose["services"]["api"]["read_onli"]
    assert "read_onli" in tool("python", check, tmp_path / "wrong.yaml", "compose-spec").stdout


def test_compose_shuts_every_container(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["user"] == "10001:10001", name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    published = {name for name, service in compose["services"].items() if "ports" in service}
    assert published == {"api"}
    assert compose["services"]["api"]["ports"][0].startswith("${PUBLISH:-127.0.0.1}:")
    assert compose["services"]["valkey"]["networks"] == ["inside"]


def test_compose_says_what_the_manifests_say(compose: dict[str, Any], render: Callable[[str], Any]) -> None:
    pods = render("single-node").pods
    judge, valkey = (pods[name]["spec"]["containers"][0] for name in ("judge", "valkey"))
    ours = compose["services"]
    plain = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", one) for one in ours["judge"]["command"]]
    assert plain[1:] == judge["args"][1:]
    assert ours["judge"]["image"] == judge["image"]
    assert ours["valkey"]["image"] == valkey["image"]
    assert [one.replace("$$", "$") for one in ours["valkey"]["command"]] == valkey["command"]
    homes = {one["name"]: one["value"] for one in judge["env"] if one.get("value", "").startswith("/cache")}
    assert homes.items() <= ours["judge"]["environment"].items()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder that `deploy/keys` has made."""
    subprocess.run([DEPLOY / "keys", tmp_path / "keys"], check=True)
    return tmp_path / "keys"


def test_keys_are_made_for_all_that_asks_for_one(compose: dict[str, Any], keys: Path) -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    made = dict(line.split("=") for line in (keys / "env").read_text().splitlines())
    assert set(made) == asked
    assert made["VLLM_API_KEY"] == made["PERCEPTION_REWARD_JUDGE_API_KEY"]
    clients = {path.stem: path.read_text().strip() for path in keys.glob("*.key")}
    every = [*clients.values(), made["VLLM_API_KEY"], made["CACHE_KEY"]]
    assert all(re.fullmatch("[0-9a-f]{48}", key) for key in every)
    assert len(set(every)) == len(every) == 6
    ring = Keyring(file=keys / "accepted/keys.toml")
    found = {name: ring.find(key.encode()) for name, key in clients.items()}
    assert all(key is not None and key.name == name for name, key in found.items())


def test_what_the_service_reads_opens_nothing_and_the_rest_is_its_makers_alone(keys: Path) -> None:
    """The service runs as another user than who made the keys, in a container and as a unit."""
    accepted = keys / "accepted/keys.toml"
    assert all(path.stat().st_mode & 0o005 == 0o005 for path in (keys, keys / "accepted"))
    assert accepted.stat().st_mode & 0o777 == 0o644
    secret = {path: path.read_text() for path in (keys / "env", *keys.glob("*.key"))}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in secret)
    assert not [
        key for text in secret.values() for key in re.findall("[0-9a-f]{48}", text) if key in accepted.read_text()
    ]


def test_keys_that_are_there_are_not_made_anew(keys: Path) -> None:
    before = (keys / "env").read_text()
    done = subprocess.run([DEPLOY / "keys", keys], capture_output=True, text=True)
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert (keys / "env").read_text() == before


def test_a_key_of_somebody_who_has_none_is_refused(keys: Path) -> None:
    accepted = keys / "accepted/keys.toml"
    done = subprocess.run([DEPLOY / "keys", "--add", "nobody", accepted], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "has no [nobody]" in done.stderr
    accepted.write_text('[own]\nmay = ["score"]\nsha256 = "' + "0" * 64 + '"\n')
    done = subprocess.run([DEPLOY / "keys", "--add", "own", accepted], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "sha256 = [" in done.stderr
    assert [path.name for path in accepted.parent.iterdir()] == ["keys.toml"]


def test_the_clusters_secrets_have_every_key_that_is_referred_to(objects: Any) -> None:
    made = yaml.safe_load_all(subprocess.check_output([DEPLOY / "keys", "--kubernetes"], text=True))
    secrets = {one["metadata"]["name"]: set(one["stringData"]) for one in made}
    found: set[tuple[str, str]] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            reference = value.get("secretKeyRef") or value.get("credentials")
            if reference and not reference.get("optional"):
                found.add((reference["name"], reference["key"]))
            if name := value.get("secretName"):
                found.update((name, item["key"]) for item in value["items"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(list(objects))
    assert found
    assert {one for one in found if one[1] not in secrets.get(one[0], ())} == set()


def test_services_drain_before_they_are_killed(compose: dict[str, Any]) -> None:
    drain = load().drain_timeout + server.LINGER_SECONDS + server.GRACE_SECONDS + server.FAREWELL_SECONDS
    assert float(compose["services"]["api"]["stop_grace_period"].removesuffix("s")) > drain
    assert float(compose["services"]["judge"]["stop_grace_period"].removesuffix("s")) > 115
    stops = {unit.stem: int(re.findall(r"^TimeoutStopSec=(\d+)", unit.read_text(), re.MULTILINE)[0]) for unit in UNITS}
    assert stops["perception-reward"] > drain
    assert stops["vllm-judge"] > 115


def test_every_setting_of_compose_and_systemd_exists(compose: dict[str, Any]) -> None:
    names = set(compose["services"]["api"]["environment"])
    names |= set(re.findall(r"^#?(\w+)=", (DEPLOY / "systemd/perception-reward.env").read_text(), re.MULTILINE))
    ours = {name.removeprefix(ENVIRONMENT_PREFIX).lower() for name in names if name.startswith(ENVIRONMENT_PREFIX)}
    assert ours <= set(Settings.model_fields)


def test_the_units_settings_start_a_service_that_the_trainers_key_opens(keys: Path, start_process: Any) -> None:
    texts = [(DEPLOY / "systemd/perception-reward.env").read_text(), (keys / "env").read_text()]
    given = dict(re.findall(r"^(\w+)=(.+)$", "\n".join(texts), re.MULTILINE))
    unit = (DEPLOY / "systemd/perception-reward.service").read_text()
    assert re.findall(r"^EnvironmentFile=(\S+)", unit, re.MULTILINE) == [
        "/etc/perception-reward/settings.env",
        "/etc/perception-reward/env",
    ]
    ours = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value.replace("/etc/perception-reward", str(keys))
        for name, value in given.items()
        if name.startswith(ENVIRONMENT_PREFIX) and not name.endswith(("_HOST", "_PORT"))
    }
    service = start_process(environment=ours | {"judge": "symbolic", "workers": "1"})
    key = (keys / "trainer.key").read_text().strip()
    assert httpx.get(f"{service.url}/v1/profiles").status_code == 401
    assert httpx.get(f"{service.url}/v1/profiles", headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_are_understood(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not at hand")
    # The programs that a unit starts are not on this machine.
    text = re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", unit.read_text(), flags=re.MULTILINE)
    copy = tmp_path / unit.name
    copy.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
    faults = [line for line in done.stderr.splitlines() if str(copy) in line or unit.name in line]
    assert faults == []
