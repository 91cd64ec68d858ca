"""The annotation pipeline on real chains of thought: what small models extract, and how much of it is so.

    python tests/benchmarks/extraction.py --url http://127.0.0.1:8000/v1 --model NAME [--methods one three] \
        [--sets gold other] [--kills 3]
    python tests/benchmarks/extraction.py [--sample labels.jsonl] [--write]

With `--url` the commands of the pipeline do their work: chains of thought are read, those whose answer is right stay, a
model extracts, rules check. `gold` are the chains about problems of Geometry3K of which people wrote down what the
diagram shows; `other` are some about charts, scenes and more. All files are in `build/extraction/`; with `--kills` the
extraction is killed so many times on the way, goes on, and has to write what its journal alone gives.

Without, the tables are made of what is there: what became of the claims, precision and recall against Geometry3K, and
how often sentences are rightly tagged `seen`, `derived` and `given`, by `data/claim_origins.jsonl`, which was labelled
by reading. `--sample` draws sentences to label.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measures import table
from places import REPOSITORY, arguments

from perception_reward.annotations.evaluate import compare, total
from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.jsonl import read_annotations
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.pipeline.asks import Sampling, key_of
from perception_reward.annotations.pipeline.engine import REPAIRS
from perception_reward.annotations.pipeline.extraction import PROMPTS, Extracting, Selection, sentences_of
from perception_reward.annotations.pipeline.origins import origin_of
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.replies import NotOfTheForm, read_reply
from perception_reward.annotations.pipeline.rows import Extracted, Sighting, Trajectory, beside, read_rows
from perception_reward.annotations.pipeline.trajectories import asked

FOLDER = REPOSITORY / "build" / "extraction"
PAGE = REPOSITORY / "tests" / "benchmarks" / "results" / "extraction.md"
LABELLED = REPOSITORY / "tests" / "benchmarks" / "data" / "claim_origins.jsonl"
CLI = (sys.executable, "-m", "perception_reward.service.cli", "annotations")
METHODS, SETS = ("one", "three"), ("gold", "other")
ORIGINS = ("seen", "derived", "given")
# A response below this many characters says no more than its answer.
LEAST_CHARACTERS, MOST_CHARACTERS = 120, 1800
# Of each kind of problem that is no Geometry3K, so many chains.
OF_EACH_SOURCE = 1
WRITERS = ("bard", "gpt4_2shot_solution", "claude_2shot_solution", "llava_llama_2_13b")
DRAWN, SEED = 145, 0
# What a reply may have; one that is cut off counts as far as it goes.
TOKENS = {"one": 256, "three": 400}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--url", help="an OpenAI-compatible endpoint")
    parser.add_argument("--model", help="the model's name there")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--kills", type=int, default=0, help="times to kill the extraction")
    parser.add_argument("--sample", type=Path, help="write claims to label here")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    chosen = parser.parse_args()
    for name in SETS:
        prepare(name, chosen.data)
    for method in chosen.methods if chosen.url else ():
        for name in chosen.sets:
            extract(Run(chosen.model, method, name), chosen.url, chosen.kills)
    runs = [run for run in every_run() if run.store.exists()]
    if chosen.sample:
        write_rows(chosen.sample, drawn([run for run in every_run() if run.method == "three"]))
        return
    text = "\n\n".join(report(runs, chosen.data))
    print(text)
    if chosen.write:
        PAGE.write_text(f"{HEAD}\n{text}\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Run:
    """A model's way through one set of chains, by one method of asking."""

    model: str
    method: str
    set: str

    @property
    def claims(self) -> Path:
        return FOLDER / self.model / f"{self.set}-{self.method}.jsonl"

    @property
    def store(self) -> Path:
        return FOLDER / self.model / f"{self.set}-{self.method}-store.jsonl"


def every_run() -> Iterator[Run]:
    for folder in sorted(path for path in FOLDER.iterdir() if path.is_dir()):
        for name in SETS:
            yield from (Run(folder.name, method, name) for method in METHODS)


def chains(name: str, data: Path) -> Iterator[dict[str, Any]]:
    """Chains of thought that are long enough to hold something; of `gold`, right or wrong."""
    labelled, answered = rows(data / "labelled" / "pairs.jsonl"), rows(data / "mathvista" / "responses.jsonl")
    problems = {
        one["key"].split("/")[-1]: one["fact_id"].split("/")[0] for one in labelled if "mathvista/" in one["key"]
    }
    problems = {pid: problem for pid, problem in problems.items() if problem.startswith("geometry3k-")}
    counts = Counter[str]()
    for one in answered:
        known = {field: one[field] for field in ("question", "choices", "answer", "response", "model")}
        size, of_gold = len(one["response"]), one["pid"] in problems
        if name == "gold" and of_gold and size >= LEAST_CHARACTERS:
            yield {"id": problems[one["pid"]], **known, "source": "MathVista"}
        wanted = one["source"] != "Geometry3K" and one["model"] in WRITERS and one["correct"]
        if name == "other" and wanted and LEAST_CHARACTERS <= size <= MOST_CHARACTERS:
            counts[one["source"]] += 1
            if counts[one["source"]] <= OF_EACH_SOURCE:
                yield {"id": f"mathvista-{one['pid']}", **known, "source": one["source"]}
    for one in rows(data / "labelled" / "own_responses.jsonl") if name == "gold" else ():
        if one["problem_id"].startswith("geometry3k-"):
            known = {field: one[field] for field in ("question", "answer", "response")}
            yield {"id": one["problem_id"], **known, "model": "own", "source": "own"}


def prepare(name: str, data: Path) -> None:
    """Read the chains, and keep those whose answer is right."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    source, read, right = (FOLDER / f"{name}.{what}.jsonl" for what in ("chains", "read", "right"))
    if not right.exists():
        write_rows(source, chains(name, data))
        command("trajectories", source, read, "--read", "--force")
        command("filter", read, right)


def extract(run: Run, url: str, kills: int) -> None:
    """Extract and check. Killed or not, the journal alone has to give the same bytes."""
    run.claims.parent.mkdir(exist_ok=True)
    arguments = ("extract", FOLDER / f"{run.set}.right.jsonl")
    model = (
        "--method",
        run.method,
        "--url",
        url,
        "--model",
        run.model,
        "--max-tokens",
        TOKENS[run.method],
        "--concurrency",
        64,
    )
    asked = (*model, "--deadline", 3000, "--leave-out-missing", "--force")
    for _ in range(kills):
        killed([*CLI, *map(str, (*arguments, run.claims, *asked))], beside(run.claims, "journal.jsonl"))
    command(*arguments, run.claims, *asked)
    if not lines_in(beside(run.claims, "dropped.jsonl")):
        again = run.claims.with_name(f"again-{run.claims.name}")
        shutil.copy(beside(run.claims, "journal.jsonl"), beside(again, "journal.jsonl"))
        assert "0 requests" in command(*arguments, again, *asked)
        assert again.read_bytes() == run.claims.read_bytes(), f"{run.claims} is not what its journal says"
    command("check", run.claims, run.store, "--force")


def killed(words: list[str], journal: Path) -> None:
    """Run a command and kill it once some more replies are in its journal, or let it end."""
    enough = lines_in(journal) + random.randrange(2, 12)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and lines_in(journal) < enough:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()


def command(*words: object) -> str:
    done = subprocess.run([*CLI, *map(str, words)], capture_output=True, text=True, check=False)
    print(" ".join(map(str, words[:3])), done.stdout, done.stderr[-2000:], sep="\n", file=sys.stderr)
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def report(runs: list[Run], data: Path) -> Iterator[str]:
    yield "What was read:"
    yield table(["set", "chains", "right, and so extracted from", "problems"], [_read(name) for name in SETS])
    yield "What became of the claims:"
    header = ["model", "method", "set", "chains", "without a reply of the form", "tokens read", "written"]
    yield table([*header, "claims", "seen, as tagged", "seen facts in the store"], [_became(run) for run in runs])
    yield "Why claims are no seen facts:"
    yield table(["model", "method", "set", "why"], [[*_named(run), _why(run)] for run in runs])
    gold = import_problems(data / "geometry3k" / "annotations.jsonl").annotations
    right = [run for run in runs if run.set == "gold"]
    yield "Seen facts against what people saw in the same diagrams:"
    kinds = ["length", "angle", "perpendicular"]
    header = ["model", "method", "problems", "facts", "gold", "precision", "recall"]
    rows_of = [_right(run, gold, kinds) for run in right]
    yield table([*header, *(f"{kind}: precision, recall" for kind in kinds)], rows_of)
    three = [run for run in every_run() if run.method == "three" and beside(run.claims, "journal.jsonl").exists()]
    yield "How often sentences are tagged right, by reading:"
    header = [
        "model",
        "tagged by",
        "are seen, derived, given",
        "right",
        "of those called seen, seen",
        "of the seen, found",
    ]
    yield table(header, list(_tags(three)))


def _read(name: str) -> list[str]:
    right = rows(FOLDER / f"{name}.right.jsonl")
    return [name, str(lines_in(FOLDER / f"{name}.read.jsonl")), str(len(right)), str(len({one["id"] for one in right}))]


def _named(run: Run) -> list[str]:
    return [run.model, run.method, run.set]


def _became(run: Run) -> list[str]:
    claims, asked = claims_of(run), rows(beside(run.claims, "journal.jsonl"))[1:]
    read, written = (sum(one["tokens"][at] for one in asked) for at in (0, 1))
    seen = sum(one.origin == "seen" for _, one in claims)
    kept = [fact for one in stored(run) for fact in one.facts if fact.origin == "seen"]
    counts = (
        lines_in(FOLDER / f"{run.set}.right.jsonl"),
        lines_in(beside(run.claims, "dropped.jsonl")),
        *(read, written, len(claims), seen, len(kept)),
    )
    return [*_named(run), *(f"{count:,}" for count in counts)]


def _why(run: Run) -> str:
    reasons = Counter(one["reason"] for one in rows(beside(run.store, "dropped.jsonl")))
    return ", ".join(f"{count} {why}" for why, count in reasons.most_common())


def _right(run: Run, gold: list[Annotation], kinds: list[str]) -> list[str]:
    seen = [
        one.model_copy(update={"facts": [fact for fact in one.facts if fact.origin == "seen"]}) for one in stored(run)
    ]
    comparison = compare(seen, gold)
    found = comparison.counts()
    whole = total(found)
    told = [f"{share:.2f}" if share is not None else "–" for share in (whole.precision, whole.recall)]
    by_kind = (found.get(kind) for kind in kinds)
    parts = [f"{one.right} of {one.facts}, {one.found} of {one.gold}" if one else "–" for one in by_kind]
    return [run.model, run.method, str(len(comparison.problems)), str(whole.facts), str(whole.gold), *told, *parts]


def _tags(runs: list[Run]) -> Iterator[list[str]]:
    labels = {(one["id"], one["said"]): one["label"] for one in rows(LABELLED) if one["label"] != "none"}
    for run in runs:
        known = {(row.id, digest(text)): (model, rules) for row, text, model, rules in tagged(run)}
        both = [(labels[key], *tags) for key, tags in known.items() if key in labels]
        are = ", ".join(str(sum(label == origin for label, *_ in both)) for origin in ORIGINS)
        for at, by in enumerate(("the model", "the model, then the rules")):
            yield [
                run.model,
                by,
                are,
                _share(label == tags[at] for label, *tags in both),
                _share(label == "seen" for label, *tags in both if tags[at] == "seen"),
                _share(tags[at] == "seen" for label, *tags in both if label == "seen"),
            ]


def tagged(run: Run) -> Iterator[tuple[Trajectory, str, str, str]]:
    """Each sentence that the model was asked about: what it says, and what the rules make of that."""
    replies = {one["key"]: one["value"] for one in rows(beside(run.claims, "journal.jsonl"))[1:]}
    sampling = Sampling(run.model, max_tokens=TOKENS[run.method])
    prompts = {name: Prompt.read(name, None, needs) for name, needs in PROMPTS["three"].items()}
    for row in read_rows(FOLDER / f"{run.set}.right.jsonl", Trajectory):
        asks, sentences = next(Extracting("three", prompts, sampling, "").step(row)), sentences_of(row.response)
        for ask in asks:
            for found in (replies.get(key_of(sampling, ask, attempt)) for attempt in range(REPAIRS + 1)):
                with suppress(NotOfTheForm, TypeError):
                    chosen = read_reply(found["text"], Selection, cut=found.get("cut", False))
                    for one in chosen.sentences if isinstance(chosen, Selection) else ():
                        if 1 <= one.number <= len(sentences):
                            text = sentences[one.number - 1]
                            said = one.origin if one.origin != "none" else "derived"
                            yield row, text, one.origin, origin_of(text, text, asked(row), said)
                    break


def _share(said: Iterable[bool]) -> str:
    held = list(said)
    return f"{sum(held) / len(held):.2f} ({sum(held)} of {len(held)})" if held else "–"


def drawn(runs: list[Run]) -> list[dict[str, Any]]:
    """Sentences to label, of those that a model was asked about."""
    found = {(row.id, text): None for run in runs for row, text, *_ in tagged(run)}
    listed = [{"id": name, "said": digest(text), "label": "", "sentence": text} for name, text in found]
    random.Random(SEED).shuffle(listed)
    return listed[:DRAWN]


def digest(text: str) -> str:
    """Names a text without its words, which come from other people's problems."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def claims_of(run: Run) -> list[tuple[Extracted, Sighting]]:
    return [(row, claim) for row in read_rows(run.claims, Extracted) for claim in row.claims]


def stored(run: Run) -> list[Annotation]:
    return list(read_annotations(run.store).values())


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_rows(path: Path, found: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in found), encoding="utf-8")


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


HEAD = """# Facts from real chains of thought

Made by `python tests/benchmarks/extraction.py --write`, from runs of the pipeline's own commands with vLLM on two
cores; what the tables mean is in [annotations](../../../annotations/README.md).
"""


if __name__ == "__main__":
    main()
