"""The pipeline's commands, as a person runs them: against a server that is a nuisance, and killed in the middle."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("openai")
pillow = pytest.importorskip("PIL.Image")

from perception_reward.service.cli import main  # noqa: E402
from perception_reward.service.cli.annotations import app  # noqa: E402

README = Path(__file__).parents[3] / "annotations" / "README.md"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def problems(folder: Path, count: int = 4) -> Path:
    """Problems with the answer 5 and an image each."""
    path = folder / "problems.jsonl"
    rows = [{"id": f"p{n}", "question": f"Find x{n}.", "answer": "5", "images": [f"{n}.png"]} for n in range(count)]
    for number in range(count):
        pillow.new("RGB", (40 + number, 40)).save(folder / f"{number}.png")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def solved(request: Any) -> str:
    """Every second sample is right."""
    return f"<think>AB = 5.</think>\n<answer>\\boxed{{{5 + request['seed'] % 2}}}</answer>"


def test_trajectories_are_made_with_their_images_and_filtered(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply = solved
    source, made, right = problems(tmp_path), tmp_path / "made.jsonl", tmp_path / "right.jsonl"
    model = ("--url", endpoint.url, "--model", "big", "--temperature", "0.7", "--price", "1,2")
    told = run("trajectories", source, made, *model, "--samples", "2", "--dry-run")
    assert told.exit_code == 0, told.output
    assert "4 rows: 8 requests to send" in told.output
    assert not endpoint.asked
    assert not made.exists()
    told = run("trajectories", source, made, *model, "--samples", "2")
    assert told.exit_code == 0, told.output
    assert "8 requests" in told.output
    assert "spent" in told.output
    sent = [part for request in endpoint.requests for part in request["messages"][0]["content"]]
    assert sum(part["type"] == "image_url" for part in sent) == 8
    rows = lines(made)
    assert [(row["id"], row.get("sample", 0)) for row in rows] == [(f"p{n}", k) for n in range(4) for k in (0, 1)]
    assert rows[0]["provenance"]["model"] == "big"
    assert rows[0]["provenance"]["source"] == "problems.jsonl"
    assert "temperature=0.7" in rows[0]["provenance"]["settings"]
    assert rows[0]["provenance"]["prompt"].startswith("answer-")
    assert len(rows[0]["provenance"]["created"]) == 10
    told = run("filter", made, right, "--workers", "1")
    assert told.exit_code == 0, told.output
    assert "4 of 8 trajectories kept (50.0%)" in told.output
    assert [row["id"] for row in lines(right)] == ["p0", "p1", "p2", "p3"]
    assert {row["reason"] for row in lines(tmp_path / "right.dropped.jsonl")} == {"its answer is wrong"}


def test_broken_images_urls_and_refusals_are_dropped_with_the_reason(endpoint: Any, tmp_path: Path) -> None:
    source, made = problems(tmp_path, 5), tmp_path / "made.jsonl"
    (tmp_path / "0.png").write_bytes(b"broken")
    (tmp_path / "1.png").unlink()
    rows = lines(source)
    rows[2]["images"] = ["https://x.test/a.png"]
    rows[3]["images"] = []
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    endpoint.reply = lambda request: {"message": {"role": "assistant", "refusal": "no"}}
    told = run("trajectories", source, made, "--url", endpoint.url, "--model", "big")
    assert told.exit_code == 0, told.output
    several = tmp_path / "several.jsonl"
    assert (
        run("trajectories", source, several, "--url", endpoint.url, "--model", "big", "--samples", "3").exit_code == 0
    )
    [broken] = [row for row in lines(tmp_path / "several.dropped.jsonl") if row["reason"] == "an image is broken"]
    assert broken["detail"] == f"{tmp_path / '0.png'}: is of no known form, or cut short"
    assert [row["reason"] for row in lines(tmp_path / "made.dropped.jsonl")] == [
        "an image is broken",
        "an image file cannot be read",
        "an image is a URL, and URLs are not allowed (--allow-urls, allow_urls)",
        "names no image",
        "the model refused",
    ]
    assert made.read_text() == ""


def test_what_is_wrong_is_told_in_a_line(endpoint: Any, tmp_path: Path) -> None:
    source, made = problems(tmp_path, 1), tmp_path / "made.jsonl"
    model = ("--url", endpoint.url, "--model", "big")
    for arguments, status, said in (
        ((source, made), 2, "name the model with --url and --model"),
        ((source, made, "--url", "nowhere", "--model", "m"), 2, "--url: 'nowhere' begins neither with http:// nor"),
        ((source, made, *model, "--extra", "{x"), 2, "--extra: is no JSON object"),
        ((source, made, *model, "--price", "low"), 2, "--price: Input should be a valid number"),
        ((source, made, *model, "--cost-budget", "1"), 2, "needs the price"),
        ((source, made, *model, "--map", "x=y"), 2, "NAME is one of"),
        ((source, made, *model, "--layout", "no"), 2, "unknown layout"),
        ((source, made, *model, "--map", "question=text"), 1, "has no question: looked for text; there are id, "),
        ((source, source, *model), 2, "which is read"),
        ((source, tmp_path / "made.jsonl.gz", *model), 2, "plain JSON Lines"),
        ((source, made, "--read"), 1, "has no response"),
    ):
        told = run("trajectories", *arguments)
        assert (told.exit_code, said in " ".join(told.output.split())) == (status, True), told.output
        assert not made.exists()
    told = run("check", source, made)
    assert "line 1: has no response, which the step before writes; name its output" in " ".join(told.output.split())
    endpoint.faults = lambda number: ["401"]
    told = run("trajectories", source, made, *model)
    assert told.exit_code == 1
    assert "answers 401" in told.output
    assert not made.exists()


def killed_until_done(endpoint: Any, command: list[str], rng: random.Random, kills: int) -> None:
    """Run a command, and kill it some times when the server has answered a random number of requests, or it has
    ended."""
    for _ in range(kills):
        answered = sum(endpoint.asked.values()) + rng.randrange(1, 25)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while sum(endpoint.asked.values()) < answered and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


PROGRAM = [sys.executable, "-m", "perception_reward.service.cli", "annotations"]


def test_a_journal_that_ends_anywhere_goes_on_to_the_same_output(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply = solved
    source, made, rng = problems(tmp_path, 6), tmp_path / "made.jsonl", random.Random(5)
    arguments = ("trajectories", source, made, "--url", endpoint.url, "--model", "big", "--samples", "2", "--force")
    assert run(*arguments).exit_code == 0
    whole, journal = made.read_bytes(), tmp_path / "made.journal.jsonl"
    lines_of_it = journal.read_bytes()
    for _ in range(4):
        journal.write_bytes(lines_of_it[: rng.randrange(len(lines_of_it))])
        assert run(*arguments).exit_code == 0
        assert made.read_bytes() == whole
        assert len(journal.read_bytes().splitlines()) == 13


@pytest.mark.kills
def test_killed_in_the_middle_the_trajectories_are_the_same_and_paid_once(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply, endpoint.delay = solved, 0.02
    source = problems(tmp_path, 30)
    model = ["--url", endpoint.url, "--model", "big", "--samples", "2", "--concurrency", "2"]
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    assert run("trajectories", source, whole, *model).exit_code == 0
    endpoint.asked.clear()
    killed_until_done(endpoint, [*PROGRAM, "trajectories", str(source), str(broken), *model], random.Random(3), 2)
    assert broken.read_bytes() == whole.read_bytes()
    # Only what was under way when it was killed may have been asked twice, for its answer never arrived.
    assert sum(endpoint.asked.values()) <= 60 + 2 * 2
    assert len(endpoint.asked) == 60


def extracted(request: Any) -> Any:
    """Two facts of every trajectory, the second of which is the answer; some replies are broken."""
    text = text_of(request)
    facts = [
        {
            "statement": "Segment AB has length 5.",
            "kind": "length",
            "elements": ["AB"],
            "quote": "AB = 5",
            "origin": "seen",
            "number": 1,
        },
        {"statement": "The answer is 5.", "kind": "value", "elements": [], "quote": "AB = 5", "number": 1},
    ]
    if "Find x3." in text:
        return {"message": {"role": "assistant", "refusal": "no"}}
    if "Find x2." in text and "could not be used" not in text:
        return "Here you are: {broken"
    return json.dumps({"facts": facts})


def text_of(request: Any) -> str:
    content = request["messages"][0]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def test_claims_are_extracted_and_checked_into_a_store(endpoint: Any, tmp_path: Path) -> None:
    made, claims, store = (tmp_path / name for name in ("made.jsonl", "claims.jsonl", "store.jsonl"))
    rows = [{"id": f"p{n}", "question": f"Find x{n}.", "response": "AB = 5. So 5.", "answer": "5"} for n in range(4)]
    source = tmp_path / "chains.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert run("trajectories", source, made, "--read").exit_code == 0
    endpoint.reply = extracted
    endpoint.faults = lambda number: ["429"] if number % 2 else ["slow"]
    told = run("extract", made, claims, "--method", "one", "--url", endpoint.url, "--model", "small")
    assert told.exit_code == 0, told.output
    assert "6 claims: 6 seen" in told.output
    assert "1 dropped: the model refused" in told.output
    assert "1 of them to have the form mended" in told.output
    told = run("check", claims, store)
    assert told.exit_code == 0, told.output
    assert "3 problems, 0 without any seen fact; 6 claims, 3 seen facts" in told.output
    assert [row["reason"] for row in lines(tmp_path / "store.dropped.jsonl")] == ["says the answer"] * 3
    assert "<svg" in (tmp_path / "store.svg").read_text(encoding="utf-8")
    assert run("validate", store).exit_code == 0
    [first, *_] = lines(store)
    assert first["facts"][0]["confidence"] == 1.0
    assert first["provenance"]["model"] == "small"
    assert first["provenance"]["prompt"].startswith("direct-")
    endpoint.reply, more = everything, tmp_path / "more.jsonl"
    told = run("distractors", store, more, "--url", endpoint.url, "--model", "careful")
    assert told.exit_code == 0, told.output
    provenance = lines(more)[0]["provenance"]
    assert provenance["model"] == "small; careful"
    assert "; entailed-" in provenance["prompt"]


def everything(request: Any) -> Any:
    """Both models of the script, and those that look at the image and at what follows."""
    text = text_of(request)
    if "Is this statement about it true?" in text or "is the statement true, false or open" in text:
        return '{"verdict": "yes"}' if "Is this" in text else '{"verdict": "false"}'
    if "cut into numbered sentences" in text:
        return '{"sentences": [{"number": 1, "origin": "seen"}]}'
    if "Rewrite each sentence" in text:
        return '{"sentences": [{"number": 1, "text": "Segment AB has length 5."}]}'
    return extracted(request) if "atomic facts" in text else solved(request)


def config(folder: Path, url: str, count: int = 4) -> Path:
    """The documented file, with the models of the script."""
    (folder / "images").mkdir()
    problems(folder / "images", count).rename(folder / "problems.jsonl")
    source = folder / "problems.jsonl"
    source.write_text(source.read_text().replace('"question"', '"problem_text"'), encoding="utf-8")
    text = README.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    path = folder / "config.toml"
    path.write_text(re.sub(r"http://127\.0\.0\.1:800[01]/v1", url, text), encoding="utf-8")
    return path


def test_one_file_builds_a_valid_store_from_nothing_and_a_rollout_is_scored(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply = everything
    endpoint.faults = lambda number: [["429"], ["slow"], ["500"], []][number % 4]
    path = config(tmp_path, endpoint.url)
    told = run("build", path, "--dry-run")
    assert "trajectories: 4 rows: 16 requests to send" in told.output, told.output
    assert "in the currency of the price" in told.output
    assert not (tmp_path / "build").exists()
    told = run("build", path, "--workers", "1")
    assert told.exit_code == 0, told.output
    assert "filter: 8 of 16 trajectories kept" in told.output
    assert "extract: 2 dropped: the model refused" in told.output
    assert "trajectories: 16 requests, " in told.output
    assert " spent" in told.output
    store = tmp_path / "build" / "store.jsonl"
    assert [row["id"] for row in lines(store)] == ["p0", "p1", "p2"]
    assert {fact.get("polarity", "present") for row in lines(store) for fact in row["facts"]} == {
        "present",
        "distractor",
    }
    whole, asked = store.read_bytes(), sum(endpoint.asked.values())
    told = run("build", path, "--workers", "1")
    assert told.output.count("done already") == 5
    assert run("build", path, "--dry-run").output.count("done already") == 5
    assert (store.read_bytes(), sum(endpoint.asked.values())) == (whole, asked)
    rollouts, results = tmp_path / "rollouts.jsonl", tmp_path / "results.jsonl"
    response = "<think>AB = 5.</think>\n<answer>\\boxed{5}</answer>"
    rollouts.write_text(json.dumps({"annotation_id": "p0", "response": response}) + "\n", encoding="utf-8")
    scored = CliRunner().invoke(
        main.app, ["score", str(rollouts), str(results), "--annotations", str(store), "--workers", "1"]
    )
    assert scored.exit_code == 0, scored.output
    [result] = lines(results)
    assert (result["components"]["accuracy"], result["components"]["perception"]) == (1.0, 1.0)


@pytest.mark.kills
@pytest.mark.timeout(900)
def test_killed_in_every_step_the_store_is_the_same_and_paid_once(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply, endpoint.delay = everything, 0.02
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    for folder in (unbroken, broken):
        folder.mkdir()
    assert run("build", config(unbroken, endpoint.url, 12), "--workers", "1").exit_code == 0
    once = dict(endpoint.asked)
    endpoint.asked.clear()
    command = [*PROGRAM, "build", str(config(broken, endpoint.url, 12)), "--workers", "1"]
    killed_until_done(endpoint, command, random.Random(7), 8)
    names = ("trajectories", "filter", "extract", "check", "store")
    for name in names:
        assert (broken / "build" / f"{name}.jsonl").read_bytes() == (unbroken / "build" / f"{name}.jsonl").read_bytes()
    assert set(endpoint.asked) == set(once)
    # Only what was under way when it was killed may have been asked again.
    assert sum(endpoint.asked.values()) - len(once) <= 8 * 32


@pytest.mark.kills
def test_ctrl_c_waits_for_what_is_under_way_says_how_to_go_on_and_loses_nothing(endpoint: Any, tmp_path: Path) -> None:
    endpoint.reply, endpoint.delay = solved, 0.1
    source, made = problems(tmp_path, 40), tmp_path / "made.jsonl"
    command = [*PROGRAM, "trajectories", str(source), str(made), "--url", endpoint.url, "--model", "big"]
    process = subprocess.Popen([*command, "--concurrency", "4"], stderr=subprocess.PIPE, text=True)
    while sum(endpoint.asked.values()) < 5:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "what is under way is waited for" in said
    assert "the same command goes on" in said
    answered = sum(endpoint.asked.values())
    assert len((tmp_path / "made.journal.jsonl").read_bytes().splitlines()) == 1 + answered < 41
    assert not made.exists()
    subprocess.run(command, check=True, capture_output=True)
    assert sum(endpoint.asked.values()) == 40
    assert len(lines(made)) == 40
