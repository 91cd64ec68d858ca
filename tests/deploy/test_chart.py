"""The chart renders what kustomize renders, profile by profile, and refuses values that it does not know."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from perception_reward.service.settings import Settings

pytestmark = pytest.mark.deploy

Object = dict[str, Any]
CHART = Path(__file__).parents[2] / "deploy/helm/perception-reward"


@pytest.fixture
def template(tool: Any) -> Callable[..., Any]:
    """`helm template` with values; the objects, or with `check=False` what helm said."""

    def run(*arguments: object, check: bool = True) -> Any:
        chart = ("template", "perception-reward", CHART, "--namespace", "perception-reward")
        done: subprocess.CompletedProcess[str] = tool("helm", *chart, *arguments, check=check)
        return list(yaml.safe_load_all(done.stdout)) if check else done

    return run


def values_of(profile: str, folder: Path) -> Path:
    ours = CHART / f"profiles/{profile}.yaml"
    return ours if ours.exists() else folder / "values.yaml"


def normal(value: Any) -> Any:
    """With lists whose elements have names in the order of these: it means nothing, but for variables."""
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        inner = [normal(one) for one in value]
        for key in ("mountPath", "name"):
            if inner and all(isinstance(one, dict) and key in one for one in inner):
                return sorted(inner, key=lambda one: one[key])
        return inner
    return value


def by_name(objects: Sequence[Object]) -> dict[tuple[str, str], Object]:
    named = {(one["kind"], one["metadata"]["name"]): normal(one) for one in objects if one is not None}
    assert len(named) == len(objects)
    return named


def test_the_chart_renders_what_kustomize_renders(
    profile: str, folder: Path, objects: Sequence[Object], template: Callable[..., Any]
) -> None:
    chart, kustomize = by_name(template("-f", values_of(profile, folder))), by_name(objects)
    assert chart.keys() == kustomize.keys()
    for name in chart:
        assert chart[name] == kustomize[name], name


def test_a_variable_stands_before_what_refers_to_it(
    profile: str, folder: Path, objects: Sequence[Object], template: Callable[..., Any]
) -> None:
    for one in (*objects, *template("-f", values_of(profile, folder))):
        if one["kind"] == "Deployment" and one["metadata"]["name"] == "api":
            (container,) = one["spec"]["template"]["spec"]["containers"]
            names = [variable["name"] for variable in container["env"]]
            assert names.index("VALKEY_PASSWORD") < names.index("PERCEPTION_REWARD_REDIS_URL")


def test_values_change_what_they_name(template: Callable[..., Any]) -> None:
    objects = by_name(
        template(
            *("--set", "judge.model=Qwen/Qwen2.5-32B-Instruct", "--set", "judge.gpus=2", "--set", "judge.replicas=2"),
            *("--set", "judge.arguments={--quantization=fp8,--tensor-parallel-size=2}", "--set", "judge.cascade=false"),
            *("--set", "api.settings.log_level=debug", "--set", "api.image=registry/api@sha256:0"),
        )
    )
    (api,) = objects["Deployment", "api"]["spec"]["template"]["spec"]["containers"]
    variables = {one["name"]: one.get("value") for one in api["env"]}
    assert api["image"] == "registry/api@sha256:0"
    assert variables["PERCEPTION_REWARD_LOG_LEVEL"] == "debug"
    assert variables["PERCEPTION_REWARD_JUDGE"] == (
        "openai:http://judge-0.judge:8000,http://judge-1.judge:8000#Qwen/Qwen2.5-32B-Instruct"
    )
    judge = objects["StatefulSet", "judge"]["spec"]
    (container,) = judge["template"]["spec"]["containers"]
    assert judge["replicas"] == 2
    assert container["resources"]["limits"] == {"memory": "48Gi", "nvidia.com/gpu": "2"}
    assert container["args"][0] == "Qwen/Qwen2.5-32B-Instruct"
    assert container["args"][-2:] == ["--quantization=fp8", "--tensor-parallel-size=2"]
    assert "--served-model-name=Qwen/Qwen2.5-32B-Instruct" in container["args"]


def test_a_judges_node_labels_take_the_place_of_the_defaults(template: Callable[..., Any]) -> None:
    own = ("--set-json", 'judge.nodeSelector={"nvidia.com/gpu.present":null,"pool":"h100"}')
    judge = by_name(template(*own))["StatefulSet", "judge"]
    assert judge["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "h100"}


def test_the_release_has_its_namespace_everywhere(template: Callable[..., Any]) -> None:
    objects = template("-f", CHART / "profiles/prod.yaml", "--set", "router.enabled=true", "--namespace", "other")
    assert {one["metadata"]["namespace"] for one in objects} == {"other"}
    found = by_name(objects)
    query = found["ScaledObject", "judge"]["spec"]["triggers"][0]["metadata"]["query"]
    assert query.count('namespace="other"') == 2
    assert found["RoleBinding", "router"]["subjects"][0]["namespace"] == "other"


@pytest.mark.parametrize(
    "wrong",
    [
        "api.replica=3",
        "api.replicas=many",
        "api.replicas=0",
        "judge.gpu=2",
        "keda.enabled=yes",
        "replicaCount=2",
        "modelCache.size=big",
        "api.settings.host=127.0.0.1",
    ],
)
def test_a_value_that_is_unknown_or_impossible_is_refused(wrong: str, template: Callable[..., Any]) -> None:
    done = template("--set", wrong, check=False)
    assert done.returncode
    assert wrong.split("=")[0].split(".")[-1] in done.stderr


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("modelCache.enabled=true", "modelImage.enabled=true"), "enable one of them"),
        (("keda.enabled=true", "keda.max=8"), "enable router"),
    ],
)
def test_values_that_do_not_go_together_are_refused(
    values: Sequence[str], words: str, template: Callable[..., Any]
) -> None:
    done = template(*(part for value in values for part in ("--set", value)), check=False)
    assert done.returncode
    assert words in done.stderr


def test_many_judges_go_behind_the_router(template: Callable[..., Any]) -> None:
    template("--set", "keda.enabled=true", "--set", "keda.max=8", "--set", "router.enabled=true")


def test_every_value_has_a_schema(root: Path) -> None:
    def unknown(values: Any, schema: Any, path: str) -> list[str]:
        if not isinstance(values, dict) or "properties" not in schema:
            return []
        assert schema["additionalProperties"] is False, path
        assert set(values) == (set() if path == ".api.settings" else set(schema["properties"])), path
        return [
            one for key, inner in values.items() for one in unknown(inner, schema["properties"][key], f"{path}.{key}")
        ]

    schema = json.loads((CHART / "values.schema.json").read_text())
    assert unknown(yaml.safe_load((CHART / "values.yaml").read_text()), schema, "") == []


def test_the_schema_knows_every_setting_but_those_that_the_chart_sets() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    known = set(schema["properties"]["api"]["properties"]["settings"]["properties"])
    own = {
        "host",
        "port",
        "api_key",
        "api_keys_file",
        "metrics_key",
        "judge",
        "judge_api_key",
        "redis_url",
        "annotations",
    }
    assert known == set(Settings.model_fields) - own, "run `make pages`"


def test_a_package_of_it_stands_alone(tool: Any, tmp_path: Path, profile: str, folder: Path) -> None:
    tool("helm", "package", CHART, "--destination", tmp_path)
    (package,) = tmp_path.glob("*.tgz")
    arguments = ("--namespace", "perception-reward", "-f", values_of(profile, folder))
    alone = tool("helm", "template", "perception-reward", package, *arguments).stdout
    assert alone == tool("helm", "template", "perception-reward", CHART, *arguments).stdout


def test_it_lints(tool: Any) -> None:
    tool("helm", "lint", "--strict", CHART)
