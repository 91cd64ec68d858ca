"""NeMo Gym's own rollout collection and its simple agent, with our resources server beside a real service."""

from __future__ import annotations

import asyncio
import json
import runpy
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.nemo_gym, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

# `make test-nemo-gym NEMO_GYM_SOURCE=…` names a checkout; its Python is newer than the service needs.
server_utils = pytest.importorskip("nemo_gym.server_utils")
global_config = pytest.importorskip("nemo_gym.global_config")
collection = pytest.importorskip("nemo_gym.rollout_collection")
agents = pytest.importorskip("responses_api_agents.simple_agent.app")

import uvicorn  # noqa: E402
from fastapi import FastAPI  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402

from perception_reward.trainer_client.trainers.listing import path_of  # noqa: E402

KEY = "s3cret-key"
RESPONSE = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
ENTRY = {"host": "127.0.0.1", "entrypoint": "app.py"}


def row(asked: str = "Find AC.", **metadata: Any) -> dict[str, Any]:
    return {
        "responses_create_params": {"input": [{"role": "user", "content": asked}]},
        "verifier_metadata": {"annotation_id": "triangle/1", **metadata},
        "level": "hard",
    }


def policy(response: str) -> FastAPI:
    """A model server that always says the same. It is the only thing here that is not Gym's or ours."""
    app = FastAPI()
    said = {"type": "output_text", "text": response, "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [said]}
    told = {"id": "resp_1", "created_at": 1.0, "model": "policy", "object": "response", "output": [message]}
    told |= {"parallel_tool_calls": False, "tool_choice": "none", "tools": []}

    @app.post("/v1/responses")
    async def respond() -> dict[str, Any]:
        return told

    return app


@asynccontextmanager
async def listening(app: FastAPI, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    # Who connects before the server has started waits for it.
    task = asyncio.create_task(server.serve([socket.create_server(("127.0.0.1", port))]))
    yield
    server.should_exit = True
    await task


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
async def collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """`collect(url, rows, …)`: (rollouts, failures, metrics) that Gym writes, with servers of its own kinds."""
    # As Gym starts it: the file, copied into a folder of resources servers.
    ours = runpy.run_path(str(path_of("nemo-gym")), run_name="app")

    async def run(url: str, rows: list[dict[str, Any]], response: str = RESPONSE, **settings: Any) -> Any:
        names = {"perception_reward": "resources_servers", "policy_model": "responses_api_models"}
        ports = {name: free_port() for name in (*names, "agent")}
        configured = {name: {kind: {name: ENTRY | {"port": ports[name]}}} for name, kind in names.items()}
        configured["perception_reward"]["resources_servers"]["perception_reward"] |= {"url": url, **settings}
        refers = {
            "resources_server": {"type": "resources_servers", "name": "perception_reward"},
            "model_server": {"type": "responses_api_models", "name": "policy_model"},
        }
        configured["agent"] = {"responses_api_agents": {"agent": ENTRY | {"port": ports["agent"], **refers}}}
        whole = OmegaConf.create(configured)
        monkeypatch.setattr(global_config, "_GLOBAL_CONFIG_DICT", whole)
        head = server_utils.BaseServerConfig(host="127.0.0.1", port=free_port())
        client = server_utils.ServerClient(head_server_config=head, global_config_dict=whole)

        def made(server: Any, config: Any, name: str) -> FastAPI:
            own = OmegaConf.to_container(global_config.get_first_server_config_dict(whole, name))
            simple = server(config=config(name=name, **own), server_client=client)
            app = simple.setup_webserver()
            simple.setup_exception_middleware(app)
            return app

        class Helper(collection.RolloutCollectionHelper):
            """Knows its servers, and so asks no head server."""

            def setup_server_client(self, *_: Any) -> Any:
                return client

        rows_file, told = tmp_path / "rows.jsonl", tmp_path / "rollouts.jsonl"
        rows_file.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
        resources = made(ours["PerceptionServer"], ours["PerceptionConfig"], "perception_reward")
        agent = made(agents.SimpleAgent, agents.SimpleAgentConfig, "agent")
        async with (
            listening(resources, ports["perception_reward"]),
            listening(agent, ports["agent"]),
            listening(policy(response), ports["policy_model"]),
        ):
            await Helper().run_from_config(
                collection.RolloutCollectionConfig(
                    agent_name="agent", input_jsonl_fpath=str(rows_file), output_jsonl_fpath=str(told)
                )
            )
        failures = collection.failures_path_for(told)
        metrics = tmp_path / "rollouts_aggregate_metrics.json"
        return lines(told), lines(failures), json.loads(metrics.read_text()) if metrics.exists() else None

    yield run
    if server_utils.is_global_aiohttp_client_setup():
        await server_utils.get_global_aiohttp_client().close()
        server_utils._GLOBAL_AIOHTTP_CLIENT = None


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def service(start_process: Callable[..., Any], annotations_file: Path) -> Any:
    return start_process("--annotations", str(annotations_file), "--workers", "1", environment={"api_key": KEY})


async def test_rollouts_get_their_reward_and_gym_averages_the_components(service: Any, collect: Callable[..., Any]):
    rollouts, failures, metrics = await collect(f"{service.url}/verify?run=gym", [row()] * 3, api_key=KEY)
    assert not failures
    assert [one["reward"] for one in rollouts] == [pytest.approx(1.7)] * 3
    components = {"format": 1.0, "accuracy": 1.0, "perception": 1.0, "repetition": 0.0}
    assert rollouts[0]["reward_components"] == components
    assert rollouts[0]["level"] == "hard"
    averages = metrics[0]["agent_metrics"]
    assert averages["mean/reward"] == pytest.approx(1.7)
    assert averages["mean/perception"] == 1.0


async def test_a_key_that_is_wrong_ends_the_collection(service: Any, collect: Callable[..., Any]):
    with pytest.raises(Exception, match="500"):
        await collect(f"{service.url}/verify", [row()], api_key="wrong", check=False)


@pytest.mark.parametrize(
    ("path", "key", "told"), [("/verify", "wrong", "answered 401"), ("/elsewhere/verify", KEY, "answered 404")]
)
async def test_a_server_does_not_start_for_a_service_that_it_cannot_use(
    service: Any, collect: Callable[..., Any], path: str, key: str, told: str
):
    with pytest.raises(RuntimeError, match=told):
        await collect(f"{service.url}{path}", [row()], api_key=key)
    with pytest.raises(RuntimeError, match="no reward service answers"):
        await collect(f"http://127.0.0.1:{free_port()}/verify", [row()], api_key=KEY)


async def test_a_missing_score_goes_to_the_failures_and_into_no_average(
    judge: Any,
    start_process: Callable[..., Any],
    annotations_file: Path,
    tokenizer_folder: Path,
    collect: Callable[..., Any],
):
    options = ("--judge-method", "paper", "--judge-tokenizer", str(tokenizer_folder), "--request-timeout", "3")
    down = start_process("--judge", f"openai:{judge.url}#m", "--annotations", str(annotations_file), *options)
    judge.stop()
    rollouts, failures, _ = await collect(f"{down.url}/verify", [row()])
    assert not rollouts
    assert [one["_ng_failure_class"] for one in failures] == ["judge_failed"]
    assert failures[0]["mask_sample"]


async def test_a_service_that_is_away_is_a_failed_judge_once_the_time_is_over(collect: Callable[..., Any]):
    away = f"http://127.0.0.1:{free_port()}/verify"
    rollouts, failures, _ = await collect(away, [row()], timeout=1.5, api_key=KEY, check=False)
    assert not rollouts
    assert [one["_ng_failure_class"] for one in failures] == ["judge_failed"]
    assert KEY not in json.dumps(failures)
