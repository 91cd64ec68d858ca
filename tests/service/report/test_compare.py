"""Two files of results: what is paired, counted, tested and told apart."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("scipy")
pytest.importorskip("statsmodels")

from perception_reward.service.report.compare import Rule, compare, planned
from perception_reward.service.report.rows import Row, row_of


def row(problem: str, place: int, accuracy: float | None, perception: float | None = None, **extra: Any) -> Row:
    record = {
        "id": problem,
        "score": None if accuracy is None else accuracy + (perception or 0),
        "components": {"accuracy": accuracy, "perception": perception},
        "facts": extra.pop("facts", None),
        "reason": "judge_timeout" if accuracy is None else None,
        "extra": extra,
    }
    return row_of(extra.pop("file", "f.jsonl"), place, record)


def sides(both: int, lost: int, gained: int, neither: int) -> tuple[list[Row], list[Row]]:
    before = [1.0] * (both + lost) + [0.0] * (gained + neither)
    after = [1.0] * both + [0.0] * lost + [1.0] * gained + [0.0] * neither
    return tuple(  # pyright: ignore[reportReturnType]
        [row(f"p{place}", place, accuracy) for place, accuracy in enumerate(side, start=1)] for side in (before, after)
    )


@pytest.mark.parametrize(("lost", "gained", "p"), [(1, 5, 0.22), (2, 4, 0.69), (2, 10, 0.04)])
def test_the_papers_p_values_come_out_of_files(lost: int, gained: int, p: float):
    found = compare(*sides(30, lost, gained, 10), Rule()).benchmarks[0].right[0]
    assert (found.kind, round(found.p_exact, 2), found.gained, found.lost) == ("answer", p, gained, lost)
    assert found.low < found.change < found.high


def test_discordant_problems_are_linked_by_file_and_line():
    found = compare(*sides(1, 1, 2, 0), Rule()).benchmarks[0].right[0]
    assert [(link.problem, link.before[0].lines, link.after[0].lines) for link in found.gained_problems] == [
        ("p3", [3], [3]),
        ("p4", [4], [4]),
    ]
    assert [link.problem for link in found.lost_problems] == ["p2"]


def test_rows_without_a_partner_and_without_a_score_are_counted_and_named():
    before = [row("a", 1, 1.0), row("b", 2, 0.0), row("c", 3, None)]
    after = [row("a", 1, 1.0), row("c", 2, 1.0), row("d", 3, 1.0)]
    found = compare(before, after, Rule())
    assert (found.problems, found.only_before, found.only_after) == (2, ["b"], ["d"])
    assert found.before.missing == {"judge_timeout": 1}
    answer = found.benchmarks[0].right[0]
    assert (answer.problems, answer.unknown) == (1, 1)
    assert next(one for one in found.benchmarks[0].means if one.measure == "score").unknown == 1


@pytest.mark.parametrize(("samples", "right"), [("mean", True), ("first", False), ("any", True), ("all", False)])
def test_several_samples_make_one_problem_by_the_rule(samples: Any, right: bool):
    before = [row("a", 1, 0.0), row("a", 2, 1.0)]
    found = compare(before, [row("a", 1, 0.0)], Rule(samples=samples))
    answer = found.benchmarks[0].right[0]
    assert (answer.problems, answer.before) == (1, float(right))
    assert found.benchmarks[0].means[0].before == 0.5


def test_seeing_right_is_a_share_of_facts_or_no_contradiction():
    facts = [{"id": "f", "verdict": "contradicted", "probability": 0.0, "span": None}]
    rows = [row("a", 1, 1.0, 0.6, facts=facts)]

    def seen(rule: Rule) -> float:
        return compare(rows, rows, rule).benchmarks[0].right[0].before

    assert [seen(Rule(0.5)), seen(Rule(0.75)), seen(Rule(None))] == [1.0, 0.0, 0.0]


def test_the_false_alarms_of_several_benchmarks_are_corrected_for():
    before, after = sides(30, 2, 10, 10)
    some = [
        [
            row(one.id or "", one.place, one.value("accuracy"), bench=name)
            for name in ("x", "y")
            for one in (side if name == "x" else before)
        ]
        for side in (before, after)
    ]
    whole, x, y = compare(some[0], some[1], Rule(), by="bench").benchmarks
    assert (whole.name, whole.problems, x.problems) == ("all", 104, 52)
    assert whole.right[0].p_holm is None
    assert x.right[0].p_holm == pytest.approx(2 * x.right[0].p_exact)
    assert y.right[0].p_holm == 1.0


def test_a_plan_says_how_many_problems_it_takes():
    plan = compare(*sides(30, 4, 10, 56), Rule(), power=0.8).benchmarks[0].plan[0]
    assert (plan.gained, plan.lost, plan.problems) == (0.10, 0.04, 100)
    assert plan.needed == planned("x", 0.10, 0.04, 0).needed
    assert plan.needed is not None
    assert 250 < plan.needed < 350


def test_files_that_share_no_problem_are_told():
    with pytest.raises(ValueError, match="no problem is in both files, by 'id'; name what they share with --problem"):
        compare([row("a", 1, 1.0)], [row("b", 1, 1.0)], Rule())


def test_a_component_of_a_package_is_compared_by_its_own_name():
    before, after = (
        [row_of("f.jsonl", n, {"id": str(n), "score": 1.0, "components": {"brevity": -part}}) for n in range(4)]
        for part in (0.5, 0.25)
    )
    [means] = [benchmark.means for benchmark in compare(before, after, Rule()).benchmarks]
    assert {mean.measure: mean.change for mean in means} == {"brevity": 0.25, "score": 0.0}
