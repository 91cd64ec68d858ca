"""Annotations from data with ground truth: importers, a real parser's facts, and whether distractors are false.

    python tests/benchmarks/ground_truth.py [--data ../shared/data] [--rows FOLDER] [--unread FILE] [--write]

- What each importer makes of real rows, and what it refuses; `--rows` holds those that are not among the data sets.
- `annotations evaluate` of what InterGPS's parser read in Geometry3K's test diagrams, and of another team's annotation
  of all 3,002, against the annotation by people.
- 500 distractors of all kinds, drawn from a random half of each annotation's facts. By rule: none says what any fact of
  the whole annotation says. By reading (`data/distractors_read.jsonl`): each excludes the fact that it is a neighbour
  of. `--unread` writes those that nobody has read. *Taken for stated*: by the symbolic judge, of a response that is
  all true facts.
- What a response earns that lists every amount of every element and both relations of every pair of lines, by a judge
  that believes all that is named, and by the rules.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from judging import judge_all
from measures import table
from places import REPOSITORY, arguments

from perception_reward.annotations.english import read_sentence, sentence
from perception_reward.annotations.evaluate import compare, total
from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.importers.registry import IMPORTERS
from perception_reward.annotations.importers.run import ImportReport, NoFacts, import_annotations
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.pipeline.neighbours import Distracting
from perception_reward.annotations.pipeline.wording import wording
from perception_reward.annotations.pipeline.work import without_asking
from perception_reward.service.cli.grading import heard
from perception_reward.service.judges.base import JudgeTask, Missing, Verdict
from perception_reward.service.rewards.perception import PerceptionRule, perception_share
from perception_reward.trainer_client.wire import Fact

PAGE = REPOSITORY / "tests" / "benchmarks" / "results" / "ground_truth.md"
READ = REPOSITORY / "tests" / "benchmarks" / "data" / "distractors_read.jsonl"
# (layout, where its rows are: below the data sets, or below --rows)
SOURCES = (
    ("propositions", "data/geometry3k/annotations.jsonl"),
    ("propositions", "rows/pgdp.json"),
    ("mathverse", "data/mathverse/text_only.jsonl"),
    ("captions", "data/captions/foils.jsonl"),
    *((name, f"rows/{name}") for name in ("formalgeo", "charts", "clevr", "coco/instances.json", "gui", "documents")),
    ("mathverse", "rows/mathverse.json"),
    ("visual-genome", "rows/visual_genome.json"),
)
DRAWN, OF_ONE, SEED = 500, 30, 0
# Annotations of each source that distractors are drawn from.
MOST = 400
# Those that the recipes ask for.
KINDS = ("length", "angle", "arc", "perpendicular", "parallel", "equal_length", "equal_angle", "area")
LISTED = 300


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument(
        "--rows", type=Path, help="folder of rows for importers; `importers` of the data sets if not given"
    )
    parser.add_argument("--unread", type=Path, help="write distractors here that nobody has read")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    chosen = parser.parse_args()
    imported = list(_imported(chosen.data, chosen.rows or chosen.data / "importers"))
    gold = import_problems(chosen.data / "geometry3k" / "annotations.jsonl").annotations
    sources = [gold, *(rows for name, _, rows in imported if name != "propositions"), list(_labelled(chosen.data))]
    found = drawn(one for rows in sources for one in rows[:MOST])
    if chosen.unread:
        known = {one["said"] for one in _rows(READ)}
        unread = ({"said": one.digest, "fact": one.fact, "distractor": one.text} for one in found)
        chosen.unread.write_text("".join(json.dumps(one) + "\n" for one in unread if one["said"] not in known))
        return
    parts = [*importers(imported), *evaluated(chosen.data, gold, imported), *distractors(found), *listing(chosen.data)]
    text = "\n\n".join(parts)
    print(text)
    if chosen.write:
        PAGE.write_text(f"{HEAD}\n{text}\n", encoding="utf-8")


Imported = tuple[str, ImportReport, list[Annotation]]


def _imported(data: Path, rows: Path) -> Iterator[Imported]:
    for name, place in SOURCES:
        layout, report = name.partition("/")[0], ImportReport()
        path = {"data": data, "rows": rows}[place.partition("/")[0]] / place.partition("/")[2]
        if path.exists():
            found = list[Annotation]()
            with suppress(NoFacts):
                found += import_annotations(IMPORTERS[layout], path, report)
            yield layout, report, found


def importers(imported: Sequence[Imported]) -> Iterator[str]:
    yield "## Importers"
    rows = [
        [
            name,
            f"{report.rows:,}",
            f"{report.facts:,} ({', '.join(f'{sum(counts.values()):,} {kind}' for kind, counts in _most(report))})",
            f"{report.distractors:,}",
            _told(report.refused_rows),
            _told(report.refused_facts),
        ]
        for name, report, _ in imported
    ]
    yield table(["layout", "rows", "facts", "distractors", "rows refused", "facts refused"], rows)


def _most(report: ImportReport) -> list[tuple[str, Counter[str]]]:
    return sorted(report.kinds.items(), key=lambda one: -one[1].total())[:4]  # pyright: ignore[reportReturnType]


def _told(refused: Counter[str]) -> str:
    return ", ".join(f"{count:,} {why}" for why, count in refused.most_common(5)) or "none"


def evaluated(data: Path, gold: list[Annotation], imported: Sequence[Imported]) -> Iterator[str]:
    yield "## Against Geometry3K's annotation by people"
    facts = Counter(fact.kind for one in gold for fact in one.facts)
    by_kind = ", ".join(f"{count:,} {kind}" for kind, count in facts.most_common(12))
    yield f"{len(gold):,} problems with {facts.total():,} facts: {by_kind}."
    parser = import_problems(data / "geometry3k" / "parser_predictions.jsonl").annotations
    others = [("InterGPS's parser", parser)]
    others += [("PGDP's annotation by other people", rows) for name, _, rows in imported[1:] if name == "propositions"]
    for name, theirs in others:
        counts = compare(theirs, gold).counts()
        yield f"{name}, {len(theirs):,} problems:"
        yield table(
            ["kind", "facts", "gold", "precision", "recall"],
            [
                [kind, f"{one.facts:,}", f"{one.gold:,}", _share(one.precision), _share(one.recall)]
                for kind, one in {"all kinds": total(counts), **counts}.items()
            ],
        )


def _share(share: float | None) -> str:
    return f"{share:.2f}" if share is not None else "–"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A distractor. true: a fact of the whole annotation says it. believed: to the symbolic judge, a response that
    states all true facts states it too."""

    kind: str
    fact: str
    text: str
    true: bool
    believed: bool

    @property
    def digest(self) -> str:
        """Names the pair without its words, some of which are other people's."""
        return hashlib.sha256(f"{self.fact}\n{self.text}".encode()).hexdigest()[:12]


def drawn(annotations: Iterable[Annotation]) -> list[Drawn]:
    """As many of each kind as there are, in all `DRAWN`."""
    by_kind = defaultdict[str, dict[tuple[str, str], Drawn]](dict)
    for one in annotations:
        known = (
            random.Random(f"{SEED}/{one.id}").sample(one.facts, (len(one.facts) + 1) // 2)
            if len(one.facts) > 3
            else one.facts
        )
        half = one.model_copy(update={"facts": [fact for fact in known if fact.polarity == "present"]})
        added = without_asking(Distracting(OF_ONE, heard=heard).step(half)).annotation.facts[len(half.facts) :]
        if added:
            texts = {fact.id: fact.text for fact in half.facts}
            for fact, true, believed in _held(one, added):
                base = texts[fact.id.rpartition("-d")[0]]
                by_kind[fact.kind].setdefault((base, fact.text), Drawn(fact.kind, base, fact.text, true, believed))
    queues = [random.Random(SEED).sample(list(found.values()), len(found)) for found in by_kind.values()]
    taken = list[Drawn]()
    while len(taken) < DRAWN and any(queues):
        taken += [found.pop() for found in queues if found][: DRAWN - len(taken)]
    return sorted(taken, key=lambda one: (one.kind, one.fact, one.text))


def _held(annotation: Annotation, added: Sequence[Fact]) -> Iterator[tuple[Fact, bool, bool]]:
    """Each with whether the annotation's facts say it, and whether the rules take it for said."""
    present = [fact for fact in annotation.facts if fact.polarity == "present"]
    asked = [fact.model_copy(update={"polarity": "present"}) for fact in added]
    words = {wording(fact.text).key for fact in present}
    [problem] = compare([annotation.model_copy(update={"facts": asked})], [annotation]).problems
    right = {fact.id for fact in problem.facts} - {fact.id for fact in problem.wrong}
    [verdicts] = judge_all([JudgeTask("\n".join(fact.text for fact in present), tuple(asked))])
    for fact, verdict in zip(asked, verdicts, strict=True):
        yield fact, fact.id in right or wording(fact.text).key in words, verdict.label == "stated"


def _labelled(data: Path) -> Iterator[Annotation]:
    """Facts in other words, about charts, documents, screens and scenes."""
    grouped = defaultdict[str, dict[str, None]](dict)
    for one in _rows(data / "labelled" / "general.jsonl"):
        grouped[one["key"]][one["fact"]] = None
    for name in ("fresh", "further", "newest"):
        for one in _rows(READ.with_name(f"{name}_pairs.jsonl")):
            grouped[one["key"]][one["fact"]] = None
    for key, texts in grouped.items():
        yield Annotation(id=key, facts=[Fact(id=f"f{at}", text=text) for at, text in enumerate(texts, start=1)])


def distractors(found: Sequence[Drawn]) -> Iterator[str]:
    yield "## Distractors"
    read = {one["said"]: one["false"] for one in _rows(READ)}
    rows = []
    for kind in ("all kinds", *dict.fromkeys(one.kind for one in found)):
        mine = [one for one in found if kind in ("all kinds", one.kind)]
        known = [read[one.digest] for one in mine if one.digest in read]
        said = (sum(one.true for one in mine), len(known), known.count(False), sum(one.believed for one in mine))
        rows.append([kind, str(len(mine)), *map(str, said)])
    yield table(["kind", "drawn", "true by another fact", "read", "may be true", "taken for stated"], rows)


def listing(data: Path) -> Iterator[str]:
    yield "## Listing everything"
    problems = import_problems(data / "geometry3k" / "annotations.jsonl", kinds=KINDS).annotations
    problems = [one for one in problems if any(fact.origin == "seen" for fact in one.facts)][:LISTED]
    rows = []
    for most in (0, 4, 1000):
        told = [without_asking(Distracting(most).step(one)).annotation for one in problems] if most else problems
        every = [without_asking(Distracting(1000).step(one)).annotation for one in problems]
        responses = ["\n".join(_every_value(one)) for one in every]
        tasks = [JudgeTask(response, tuple(one.facts)) for response, one in zip(responses, told, strict=True)]
        believed = [tuple(Verdict("stated", 1.0) for _ in one.facts) for one in told]
        names = {0: "none", 4: "4, as by default", 1000: "as many as can be drawn"}
        rows.append([names[most], *(f"{_mean(told, said):.2f}" for said in (believed, judge_all(tasks)))])
    yield f"Mean perception over {len(problems)} problems of Geometry3K, the recipes' kinds, by `perception-r1`:"
    yield table(["distractors", "a judge that believes all that is named", "the symbolic judge"], rows)


def _every_value(annotation: Annotation) -> Iterator[str]:
    """All facts and distractors, each amount of each element, and both relations of each pair of lines."""
    read = [one for fact in annotation.facts if (one := read_sentence(fact.text)) is not None]
    amounts = {(one.kind, str(one.quantity)): one.quantity for one in read if one.quantity is not None}
    yield from (fact.text for fact in annotation.facts)
    for one in read:
        if one.quantity is not None:
            kinds = [quantity for (kind, _), quantity in amounts.items() if kind == one.kind]
            yield from (sentence(replace(one, quantity=quantity)) for quantity in kinds)
        elif one.kind in ("parallel", "perpendicular"):
            yield from (sentence(replace(one, kind=kind)) for kind in ("parallel", "perpendicular"))


def _mean(annotations: Sequence[Annotation], said: Sequence[Sequence[Verdict]]) -> float:
    rule = PerceptionRule(distractor_cost=1.0)
    shares = [perception_share(one.facts, verdicts, rule) for one, verdicts in zip(annotations, said, strict=True)]
    return sum(share for share in shares if share is not None and not isinstance(share, Missing)) / len(shares)


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


HEAD = """# Annotations from data with ground truth

Made by `python tests/benchmarks/ground_truth.py --write`; what the tables mean is in
[annotations](../../../annotations/README.md).
"""


if __name__ == "__main__":
    main()
