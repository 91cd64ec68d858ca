"""The command line: its words and its exit status."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import COMMANDS, app
from perception_reward.service.settings import Settings, option_name, variable_name

FACTS = [{"id": "f1", "text": "Segment AB has length 5."}]


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", **environment})


def test_the_demo_scores_over_http_and_ends_by_itself_when_told():
    command = [sys.executable, "-m", "perception_reward.service.cli", "demo", "--exit", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    for words in (
        "Segment AC has length 9.",
        "contradicted",
        "stated",
        "absent",
        "Scores",
        "perception",
        "your own problems",
    ):
        assert words in done.stdout
    assert "Traceback" not in done.stderr


def test_the_version_is_the_packages():
    assert run("version").stdout.strip() == version("perception-reward")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "check"])
def test_every_command_is_listed_and_has_its_own_help(name: str):
    listed = run("--help").stdout
    assert f"│ {name} " in listed
    done = run(name, "--help")
    assert done.exit_code == 0, done.stderr
    assert f" {name} [OPTIONS]" in done.stdout


def test_a_command_that_leaves_the_work_to_others_imports_none_of_their_libraries():
    loads = "import sys, perception_reward.service.cli.score, perception_reward.service.cli.scoring\n"
    heavy = (
        "{'sympy', 'math_verify', 'fastapi', 'aiohttp', 'redis', 'numpy', 'pyarrow', 'ray', 'scipy', 'transformers'}"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{loads}print(sorted({heavy} & set(sys.modules)))"],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_profiles_are_listed_with_their_formulas(tmp_path: Path):
    mine = tmp_path / "mine.toml"
    mine.write_text('[mine]\nbase = "perception-r1"\nweights = { perception = 2.0 }\n', encoding="utf-8")
    done = run("profiles", "--profiles", str(mine))
    assert "0.1·format + 0.9·accuracy + 0.7·perception" in done.stdout
    assert "2·perception" in done.stdout
    assert json.loads(run("profiles", "--json").stdout)["perception-r1-parity"]["mode"] == "parity"


def test_every_setting_is_an_option_of_serve_with_its_variable():
    shown = run("serve", "--help", COLUMNS="400").stdout
    for name in Settings.model_fields:
        assert option_name(name) in shown, name
        assert variable_name(name) in shown, name


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--port", "http"], {}, "--port"),
        (["--host", "0.0.0.0"], {}, "PERCEPTION_REWARD_API_KEY"),
        (["--judge", "oracle"], {}, "oracle"),
        (["--judge", "openai:nowhere"], {}, "openai:URL"),
        (["--judge", "openai:http://127.0.0.1:1"], {}, "model"),
        (["--profile", "no-such"], {}, "perception-r1"),
        (["--profiles", "no-such.toml"], {}, "no-such.toml"),
        (["--redis-url", "http://x"], {}, "redis"),
        ([], {"PERCEPTION_REWARD_WORKERS": "many"}, "PERCEPTION_REWARD_WORKERS"),
    ],
)
def test_a_wrong_setting_fails_at_start_with_one_line(arguments: list[str], environment: dict[str, str], words: str):
    done = run("serve", "--port", "0", *arguments, **environment)
    assert done.exit_code == 2, (done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert words in lines[0]


def test_a_bad_annotation_file_fails_at_start_and_names_the_line(tmp_path: Path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b", "facts": [{"id": "f3"}]}\n', encoding="utf-8")
    done = run("serve", "--port", "0", "--annotations", str(path))
    assert done.exit_code == 2
    assert "bad.jsonl line 2" in done.stderr
    assert "f3" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 1
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_saved_rollouts_are_scored_from_file_to_file(tmp_path: Path):
    items = tmp_path / "items.jsonl"
    lines = [{"id": f"r-{n}", "facts": FACTS, "response": f"AB = {5 + n % 2}", "answer": "5"} for n in range(20)]
    items.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    done = run("score", str(items), str(tmp_path / "out.jsonl"))
    assert done.exit_code == 0, done.stderr
    results = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [result["id"] for result in results] == [line["id"] for line in lines]
    assert {result["components"]["perception"] for result in results} == {0.0, 1.0}
    assert not (tmp_path / "out.jsonl.part").exists()


def test_lines_that_cannot_be_scored_are_told_before_anything_is(tmp_path: Path):
    items = tmp_path / "items.jsonl"
    items.write_text('{"response": "AB = 5"}\n{"resp": 1}\n{nope\n', encoding="utf-8")
    done = run("score", str(items), str(tmp_path / "out.jsonl"))
    assert done.exit_code == 2
    assert "items.jsonl line 2: response" in done.stderr
    assert "items.jsonl line 3: not JSON" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()
    skipped = run("score", str(items), str(tmp_path / "out.jsonl"), "--skip-bad")
    assert skipped.exit_code == 0, skipped.stderr
    assert len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_logic_forms_become_an_annotation_file_that_serves(tmp_path: Path):
    source = tmp_path / "forms.jsonl"
    row = {"id": "geo-1", "logic_forms": ["Equals(LengthOf(Line(A, B)), 5)", "Nonsense(("], "answer": "5"}
    source.write_text(json.dumps(row) + "\n", encoding="utf-8")
    done = run("annotations", "import-geometry3k", str(source), str(tmp_path / "out.jsonl"))
    assert done.exit_code == 0, done.stderr
    assert "Nonsense" in done.stdout
    annotation = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert annotation["facts"][0]["text"] == "Segment AB has length 5."
