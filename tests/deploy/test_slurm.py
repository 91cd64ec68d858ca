"""The Slurm job, run whole: its scheduler's commands are scripts that start what they are told to here."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.deploy

# All options come before the command, each in one word.
SRUN = """\
#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$RECORD"
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""
SCONTROL = "#!/usr/bin/env bash\nprintf '%s\\n' $NODES\n"
# A judge that says which model it serves, and nothing more: what the rules decide needs no answer of it.
JUDGE = """\
#!{python}
import http.server, json, sys
arguments = dict(one.split("=", 1) for one in sys.argv[3:] if "=" in one)
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments_): pass
    def do_GET(self):
        body = json.dumps({{"data": [{{"id": arguments["--served-model-name"]}}]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(arguments["--port"])), Handler).serve_forever()
"""
TRAINER = """\
import json, os, sys
from perception_reward.trainer_client import RewardClient
client = RewardClient(timeout=60)
facts = [{"id": "f1", "text": "Segment AC has length 9."}]
text = "<think>\\nAC = 9\\n</think>\\n<answer>\\n\\\\boxed{15}\\n</answer>"
(result,) = client.score_sync([{"response": text, "answer": "15", "facts": facts}])
key = os.environ["PERCEPTION_REWARD_API_KEY"]
secrets = sorted(name for name, value in os.environ.items() if "API_KEY" in name and value)
print(json.dumps({"score": result.score, "key": key, "url": os.environ["PERCEPTION_REWARD_URL"], "secrets": secrets}))
"""


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("nodes", "training"),
    [
        ("localhost", "--nodes=1 --ntasks=1 --nodelist=localhost --exact --gpus=7 --cpus-per-task=54"),
        ("gpu-1 gpu-2 localhost", "--nodes=2 --ntasks=2 --nodelist=gpu-1,gpu-2 --exact"),
    ],
)
def test_a_training_job_gets_its_rewards(
    root: Path, tmp_path: Path, tokenizer_folder: Path, nodes: str, training: str
) -> None:
    scripts = tmp_path / "bin"
    scripts.mkdir()
    executable(scripts / "srun", SRUN)
    executable(scripts / "scontrol", SCONTROL)
    judge = executable(scripts / "vllm", JUDGE.format(python=sys.executable))
    trainer = tmp_path / "trainer.py"
    trainer.write_text(TRAINER)
    record = tmp_path / "record"
    environment = os.environ | {
        "PATH": f"{scripts}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RECORD": str(record),
        "NODES": nodes,
        "SLURM_JOB_NODELIST": nodes,
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_JOB_NAME": "grpo",
        "SLURM_GPUS_ON_NODE": "8",
        "SLURM_CPUS_ON_NODE": "64",
        "SERVICE_CPUS": "2",
        "TOKENIZER": str(tokenizer_folder),
        "VLLM": str(judge),
        "LOAD_SECONDS": "60",
        "REST_SECONDS": "0",
        # Of the shell that submits the job: the service must not open to it.
        "PERCEPTION_REWARD_API_KEY": "of-the-shell",
        "ADDRESS": "127.0.0.1",
    }
    script = root / "deploy/slurm/train.sbatch"
    command = ["bash", str(script), sys.executable, str(trainer)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["score"] == pytest.approx(0.1 + 0.9 + 0.7)
    assert f"the reward service is at {said['url']}" in done.stdout
    lines = record.read_text().splitlines()
    assert lines[-1].startswith(training)
    # Where every user of a node could read it.
    assert said["key"] not in record.read_text()
    # The trainer holds its own key alone, and what the service accepted is gone with the job.
    assert said["key"] != "of-the-shell"
    assert said["secrets"] == ["PERCEPTION_REWARD_API_KEY"]
    assert not list(tmp_path.glob("perception-reward-keys-*"))
    _nothing_is_left(int(re.findall(r":(\d+)$", said["url"])[0]))


def _nothing_is_left(port: int) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_job_without_a_command_says_what_to_give(root: Path) -> None:
    done = subprocess.run(["bash", root / "deploy/slurm/train.sbatch"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "usage: sbatch" in done.stderr
