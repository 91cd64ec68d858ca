from __future__ import annotations

from perception_reward.annotations.diff import diff
from perception_reward.annotations.model import Annotation
from perception_reward.trainer_client.wire import Fact

ONE = Fact(id="f1", text="AB = 5.", kind="length")
TWO = Fact(id="f2", text="The cat is black.", kind="colour")
OLD = [Annotation(id="a", answer="5", facts=[ONE, TWO]), Annotation(id="b"), Annotation(id="c", facts=[ONE])]


def test_stores_that_hold_the_same_in_another_order_have_no_difference():
    report = diff(OLD, OLD[::-1])
    assert report.same
    assert "no difference" in list(report.lines())
    assert report.old == report.new


def test_what_was_added_removed_and_changed_is_told():
    changed = TWO.model_copy(update={"origin": "given"})
    new = [OLD[0].model_copy(update={"answer": 5, "facts": [changed, TWO.model_copy(update={"id": "f3"})]}), OLD[2]]
    report = diff(OLD, [*new, Annotation(id="d")])
    assert (report.added, report.removed, list(report.changed)) == (["d"], ["b"], ["a"])
    assert {name: dict(counts) for name, counts in report.facts.items()} == {
        "added": {"colour": 1},
        "removed": {"length": 1},
        "changed": {"colour": 1},
    }
    assert report.changed["a"] == [
        "answer: '5' is now 5",
        "~ f2 'The cat is black.' kind=colour is now 'The cat is black.' kind=colour origin=given",
        "+ f3 'The cat is black.' kind=colour",
        "- f1 'AB = 5.' kind=length",
    ]
    assert {"+ d", "- b", "~ a"} <= set(report.lines())


def test_facts_in_another_order_are_a_difference():
    report = diff(OLD[:1], [OLD[0].model_copy(update={"facts": [TWO, ONE]})])
    assert report.changed == {"a": ["the facts stand in another order"]}
