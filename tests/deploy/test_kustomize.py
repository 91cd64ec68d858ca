"""Every profile renders, holds to the schemas of all that it is made of, and promises what an operator relies on."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from perception_reward.service import server, tracing
from perception_reward.service.settings import ENVIRONMENT_PREFIX, load

pytestmark = pytest.mark.deploy

SCHEMAS = Path(__file__).parent / "schemas"
Object = dict[str, Any]


def is_core(one: Object) -> bool:
    return "." not in one["apiVersion"] or ".k8s.io/" in one["apiVersion"]


def embedded_pods(value: Any) -> Iterator[Object]:
    """The pod templates inside a custom object, as pods."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.lower().endswith("template") and isinstance(inner, dict) and "spec" in inner:
                yield {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "embedded"}, "spec": inner["spec"]}
            else:
                yield from embedded_pods(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from embedded_pods(inner)


# Objects with a field that is misspelt, by where it is.
MISSPELT: list[tuple[str, tuple[str | int, ...], str]] = [
    ("Deployment", ("spec", "template", "spec"), "terminationGracePeriodSecond"),
    ("Deployment", ("spec", "template", "spec", "containers", 0, "livenessProbe"), "failureTreshold"),
    ("NetworkPolicy", ("spec",), "policyType"),
    ("ScaledObject", ("spec",), "coolDownPeriod"),
    ("ServiceMonitor", ("spec", "endpoints", 0), "intervall"),
    ("PrometheusRule", ("spec",), "group"),
    ("RayJob", ("spec", "rayClusterSpec", "headGroupSpec"), "rayStartParam"),
    ("RayJob", ("spec", "rayClusterSpec", "headGroupSpec", "template", "spec"), "serviceAccount1"),
]


@pytest.fixture(scope="module")
def faults(
    tool: Any, render: Any, all_profiles: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """What is wrong, by the core's schemas and those of the definitions of all others: with a profile, or with what has
    the misspelt field of that name. All are looked at in one run, as the schemas take seconds to load."""
    folder = tmp_path_factory.mktemp("schemas")
    sets: dict[str, Sequence[Object]] = {profile: render(profile) for profile in all_profiles}
    sets |= {field: [_misspelt(render, *what, field)] for *what, field in MISSPELT}
    for name, objects in sets.items():
        custom = [one for one in objects if not is_core(one)]
        core = [*filter(is_core, objects), *(pod for one in custom for pod in embedded_pods(one))]
        (folder / f"{name}.core.yaml").write_text(yaml.safe_dump_all(core))
        (folder / f"{name}.custom.yaml").write_text(yaml.safe_dump_all(custom))
    cores = sorted(folder.glob("*.core.yaml"))
    done = tool("kubernetes-validate", "--strict", "--quiet", "-k", "1.34", *cores, check=False)
    told = (done.stdout + done.stderr).splitlines()

    def of(name: str) -> str:
        found = [line for line in told if f"/{name}.core.yaml" in line]
        return "\n".join(found) + tool("python", SCHEMAS / "check.py", folder / f"{name}.custom.yaml").stdout

    return of


def _misspelt(render: Any, kind: str, path: tuple[str | int, ...], field: str) -> Object:
    one = copy.deepcopy(render("kuberay-batch" if kind == "RayJob" else "prod").of(kind)[0])
    place: Any = one
    for step in path:
        place = place[step]
    place[field] = "1"
    return one


def test_every_profile_holds_to_the_schemas(profile: str, faults: Callable[[str], str]) -> None:
    assert faults(profile) == ""


@pytest.mark.parametrize("field", [field for *_, field in MISSPELT])
def test_a_misspelt_optional_field_is_caught(field: str, faults: Callable[[str], str]) -> None:
    assert field in faults(field)


def test_the_kubectl_of_the_path_renders_the_same(folder: Path, objects: Sequence[Object]) -> None:
    """Kustomize is a part of every kubectl, and the releases differ."""
    other = shutil.which("kubectl")
    if other is None:
        pytest.skip("no other kubectl is at hand")
    done = subprocess.run([other, "kustomize", str(folder)], capture_output=True, text=True, check=True)
    assert list(yaml.safe_load_all(done.stdout)) == list(objects)


def test_the_demos_annotations_are_the_base_ones(root: Path) -> None:
    ours = (root / "deploy/kustomize/base/annotations.jsonl").read_bytes()
    assert ours == (root / "service/demo/annotations.jsonl").read_bytes()


# What every pod promises.


def containers(pod: Object) -> list[Object]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def variables(container: Object) -> dict[str, str | None]:
    return {one["name"]: one.get("value") for one in container.get("env", ())}


def test_no_pod_runs_as_root_or_writes_its_root_file_system(objects: Any) -> None:
    for name, pod in objects.pods.items():
        context = pod["spec"]["securityContext"]
        assert context["runAsNonRoot"], name
        assert context["runAsUser"] >= 10000, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_only_the_router_has_a_token_and_may_only_look_at_pods(objects: Any) -> None:
    tokens = {name for name, pod in objects.pods.items() if pod["spec"]["automountServiceAccountToken"]}
    assert tokens <= {"router"}
    assert all(not one["automountServiceAccountToken"] for one in objects.of("ServiceAccount"))
    accounts = {one["metadata"]["name"] for one in objects.of("ServiceAccount")}
    assert {pod["spec"]["serviceAccountName"] for pod in objects.pods.values()} == accounts
    for role in objects.of("Role"):
        assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]


def test_no_secret_is_written_down(objects: Any) -> None:
    assert objects.of("Secret") == []
    for pod in objects.pods.values():
        for container in containers(pod):
            for name, value in variables(container).items():
                if re.search("KEY|PASSWORD|TOKEN$", name) and not name.endswith("_FILE"):
                    assert value is None, f"{name} is written down"


def test_keys_change_where_they_are_mounted(objects: Any) -> None:
    """The file that the service reads is of a secret's volume, whole and not by `subPath`, which is never brought up to
    date."""
    spec = objects.pods["api"]["spec"]
    (container,) = spec["containers"]
    file = variables(container)["PERCEPTION_REWARD_API_KEYS_FILE"]
    assert file is not None
    (mount,) = (one for one in container["volumeMounts"] if file.startswith(one["mountPath"] + "/"))
    assert mount["readOnly"]
    assert not {"subPath", "subPathExpr"} & set(mount)
    (secret,) = (one["secret"] for one in spec["volumes"] if one["name"] == mount["name"])
    assert [item["path"] for item in secret["items"]] == [file.removeprefix(mount["mountPath"] + "/")]
    # Its owner and the pod's group, and nobody else.
    assert secret["defaultMode"] == 0o440
    assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsGroup"]
    assert "PERCEPTION_REWARD_API_KEY" not in variables(container)


def test_every_setting_of_the_service_exists_and_holds(objects: Any) -> None:
    if "api" not in objects.pods:
        pytest.skip("it has no API")
    container = objects.pods["api"]["spec"]["containers"][0]
    given = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): "redis://valkey"
        if name.endswith("REDIS_URL")
        else value or "key"
        for name, value in variables(container).items()
        if name.startswith(ENVIRONMENT_PREFIX)
    }
    settings = load(**given)
    assert set(given) <= set(type(settings).model_fields)
    # The judges' names lead to the judges there are, or to the router.
    hosts = re.findall(r"http://([^:,#]+):8000", settings.judge)
    if "judge" in objects.pods:
        known = {one["metadata"]["name"] for one in objects.of("Service")}
        assert hosts
        assert {host.split(".")[-1] for host in hosts} <= known


def test_the_service_is_told_of_every_judge_there_may_be(objects: Any) -> None:
    if "judge" not in objects.pods or "api" not in objects.pods:
        pytest.skip("it has no judge, or no API")
    judge = variables(objects.pods["api"]["spec"]["containers"][0])["PERCEPTION_REWARD_JUDGE"]
    if "//router:" in judge:
        return
    scaled = [one["spec"]["maxReplicaCount"] for one in objects.of("ScaledObject")]
    (most,) = scaled or [objects.named("StatefulSet", "judge")["spec"]["replicas"]]
    assert re.findall(r"http://([^:]+):8000", judge) == [f"judge-{index}.judge" for index in range(most)]
    # A request is tried four times, and finds a judge that is up behind at most three that are not.
    least = min((one["spec"]["minReplicaCount"] for one in objects.of("ScaledObject")), default=most)
    assert most - least <= 3


def test_a_replica_drains_before_it_is_killed(objects: Any) -> None:
    for name, own in (("api", _drain_of_the_api), ("judge", _drain_of_the_judge), ("router", lambda _: 110.0)):
        if name in objects.pods:
            spec = objects.pods[name]["spec"]
            pause = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
            # A cluster takes some seconds to tell every node that an endpoint is gone.
            assert pause >= 10
            assert spec["terminationGracePeriodSeconds"] > pause + own(spec["containers"][0]), name


def _drain_of_the_api(container: Object) -> float:
    drain = float(variables(container)["PERCEPTION_REWARD_DRAIN_TIMEOUT"] or 0)
    assert drain > load().request_timeout
    return drain + server.LINGER_SECONDS + server.GRACE_SECONDS + server.FAREWELL_SECONDS


def _drain_of_the_judge(container: Object) -> float:
    (given,) = (one for one in container["args"] if one.startswith("--shutdown-timeout="))
    seconds = float(given.split("=")[1])
    assert seconds > load().request_timeout
    return seconds


def test_a_judge_has_half_an_hour_to_load_and_lives_by_its_progress(objects: Any) -> None:
    if "judge" not in objects.pods:
        pytest.skip("it has no judge")
    container = objects.pods["judge"]["spec"]["containers"][0]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 1800
    assert container["livenessProbe"]["exec"]["command"] == ["python3", "/progress/progress.py"]
    script = objects.named("ConfigMap", "judge-progress")["data"]["progress.py"]
    limits = re.search(r"METRICS_SECONDS, ASK_SECONDS = ([\d.]+), ([\d.]+)", script)
    assert limits is not None
    assert container["livenessProbe"]["timeoutSeconds"] > float(limits[1]) + float(limits[2])


def test_liveness_of_the_api_is_its_event_loop_alone(objects: Any) -> None:
    if "api" not in objects.pods:
        pytest.skip("it has no API")
    container = objects.pods["api"]["spec"]["containers"][0]
    assert container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_an_update_takes_no_capacity_away(objects: Any) -> None:
    for one in objects.of("Deployment"):
        assert one["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    for one in objects.of("PodDisruptionBudget"):
        assert one["spec"]["maxUnavailable"] == 1


def test_what_is_autoscaled_has_no_replicas_of_its_own(objects: Any) -> None:
    scalers = (*objects.of("HorizontalPodAutoscaler"), *objects.of("ScaledObject"))
    targets = [one["spec"]["scaleTargetRef"] for one in scalers]
    for target in targets:
        assert "replicas" not in objects.named(target["kind"], target["name"])["spec"]


def test_keda_counts_this_namespaces_requests_and_takes_silence_for_no_load(objects: Any) -> None:
    for one in objects.of("ScaledObject"):
        (trigger,) = one["spec"]["triggers"]
        metadata = trigger["metadata"]
        assert metadata["ignoreNullValues"] == "false"
        model = next(arg for arg in _arguments(objects) if arg.startswith("--served-model-name=")).split("=")[1]
        selector = f'{{namespace="{one["metadata"]["namespace"]}", model_name="{model}"}}'
        assert re.findall(r"(vllm:\w+)(\{.*?\})", metadata["query"]) == [
            ("vllm:num_requests_running", selector),
            ("vllm:num_requests_waiting", selector),
        ]
        # Only an average per replica has a fallback in KEDA.
        assert trigger["metricType"] == "AverageValue"
        assert one["spec"]["fallback"]["behavior"] == "currentReplicasIfHigher"


def _arguments(objects: Any) -> list[str]:
    return objects.pods["judge"]["spec"]["containers"][0]["args"]


def test_traces_go_through_service_and_judge_to_one_collector(render: Any) -> None:
    objects = render("traces")
    api = variables(objects.pods["api"]["spec"]["containers"][0])
    collector = api["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert tracing.asked_for({name: value or "" for name, value in api.items()})
    assert f"--otlp-traces-endpoint={collector}/v1/traces" in _arguments(objects)
    judge = variables(objects.pods["judge"]["spec"]["containers"][0])
    assert judge["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == "http/protobuf"
    (rule,) = objects.named("NetworkPolicy", "traces")["spec"]["egress"]
    assert rule["ports"] == [{"port": int(collector.rpartition(":")[2])}]


def test_the_model_is_one_everywhere(objects: Any) -> None:
    if "judge" not in objects.pods:
        pytest.skip("it has no judge")
    (served,) = {one.split("=")[1] for one in _arguments(objects) if one.startswith("--served-model-name=")}
    asked = [
        value.split("#")[1]
        for pod in objects.pods.values()
        for container in containers(pod)
        if (value := variables(container).get("PERCEPTION_REWARD_JUDGE"))
    ]
    fetched = {variables(one).get("MODEL") for pod in objects.pods.values() for one in containers(pod)} - {None}
    assert {*asked, *fetched} <= {served}
    assert _arguments(objects)[0] in (served, f"/models/{served}")


def test_the_batch_job_is_a_command_that_scores(render: Any, root: Path, tmp_path: Path, start_process: Any) -> None:
    """Its entry point, with folders and a service of the test's."""
    job = render("kuberay-batch").named("RayJob", "batch")["spec"]
    service = start_process("--annotations", str(root / "service/demo/annotations.jsonl"), "--workers", "1")
    folder = tmp_path / "rollouts"
    folder.mkdir()
    shutil.copy(root / "service/demo/rollouts.jsonl", folder)
    command = job["entrypoint"].replace("http://api:8420", service.url).replace("/rollouts", str(folder))
    command = command.replace("/results", str(tmp_path))
    program, *arguments = command.split()
    done = subprocess.run(
        [Path(sys.executable).parent / program, *arguments], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "scores.parquet").stat().st_size > 1000
    workers = job["rayClusterSpec"]["workerGroupSpecs"]
    asked = max(float(group["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"]) for group in workers)
    assert job["entrypointNumCpus"] <= asked


# The network.


def selected(policy: Object, labels: dict[str, str]) -> bool:
    selector = policy["spec"]["podSelector"]
    matched = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return matched and all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", ()))


Edge = tuple[str, str]


def edges_of(objects: Any) -> tuple[set[Edge], set[Edge]]:
    """(from, to): what may be left, and what may be entered, by the name that pods have; without DNS."""
    leave: set[Edge] = set()
    enter: set[Edge] = set()
    for pod in objects.pods.values():
        labels = pod["metadata"]["labels"]
        who = labels["app.kubernetes.io/name"]
        mine = [one["spec"] for one in objects.of("NetworkPolicy") if selected(one, labels)]
        # Denied both ways, but for what another policy allows.
        assert {"Ingress", "Egress"} <= {way for one in mine for way in one["policyTypes"]}, who
        for one in mine:
            for rule in one.get("ingress", ()):
                assert rule["ports"]
                enter |= {(_who(peer), who) for peer in rule["from"]}
            for rule in one.get("egress", ()):
                assert rule["ports"]
                leave |= {(who, _who(peer)) for peer in rule.get("to", [{"apiServer": {}}])}
    return {one for one in leave if one[1] != "kube-system"}, enter


def test_every_pod_is_shut_but_for_the_edges_it_needs(objects: Any) -> None:
    leave, enter = edges_of(objects)
    there = {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in objects.pods.values()}
    routed = "router" in there
    inside = {("api", "valkey"), ("batch", "batch"), ("batch", "api"), ("router", "judge")}
    inside.add(("api", "router" if routed else "judge"))
    inside = {edge for edge in inside if set(edge) <= there}
    # Each has both its ends, or it is none. A policy of the base may name who is not there.
    assert inside <= leave
    labels = [pod["metadata"]["labels"] for pod in objects.pods.values()]
    # Pods of ours that are let in as trainers are.
    own = {one["app.kubernetes.io/name"] for one in labels if one.get("perception-reward/client") == "true"}
    enter |= {(name, "api") for name in own if ("trainers", "api") in enter}
    assert inside <= enter
    outside = {("router", "api server"), *((name, "internet") for name in ("api", "judge", "model-download"))}
    if any(one["metadata"]["name"] == "traces" for one in objects.of("NetworkPolicy")):
        outside |= {("api", "monitoring"), ("judge", "monitoring")}
    assert {edge for edge in leave if edge[1] in there} == inside
    assert {edge for edge in leave if edge[1] not in there} <= outside | {("api", "judge")}
    callers = {("trainers", "api"), ("monitoring", "api"), ("monitoring", "judge"), ("kuberay-operator", "batch")}
    assert enter - inside <= callers
    assert ("trainers", "api") in enter
    if "model-download" in there:
        assert {one for one in leave if one[1] == "internet"} == {("model-download", "internet")}


def _who(peer: Object) -> str:
    if "ipBlock" in peer:
        return "internet"
    if "apiServer" in peer:
        return "api server"
    labels = peer.get("podSelector", {}).get("matchLabels", {})
    if labels.get("perception-reward/client") == "true":
        return "trainers"
    space = peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
    return space or labels["app.kubernetes.io/name"]
