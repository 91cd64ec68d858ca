from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.version import DIGITS, Version
from perception_reward.trainer_client.wire import Fact

ANNOTATIONS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1", "2", None])).map(
    lambda answers: [Annotation(id=name, answer=answer) for name, answer in answers.items()]
)


@given(ANNOTATIONS, ANNOTATIONS)
def test_two_stores_have_one_version_where_they_hold_the_same(one: list[Annotation], other: list[Annotation]):
    same = {a.id: a for a in one} == {a.id: a for a in other}
    assert (Version.of(one) == Version.of(other)) == same
    assert (str(Version.of(one)) == str(Version.of(other))) == same


@given(ANNOTATIONS, ANNOTATIONS)
def test_a_version_follows_changes(old: list[Annotation], new: list[Annotation]):
    assert Version.of(old).without(*old).having(*new) == Version.of(new)
    assert Version.read(Version.of(new).stored()) == Version.of(new)


def test_anything_that_a_score_depends_on_changes_it():
    fact = Fact(id="f", text="AB = 5.")
    one = Annotation(id="a", answer="5", facts=[fact])
    others = [
        one.model_copy(update={"answer": 5}),
        one.model_copy(update={"facts": [fact.model_copy(update={"origin": "given"})]}),
        one.model_copy(update={"facts": [fact.model_copy(update={"weight": 2.0})]}),
        one.model_copy(update={"choices": ["5", "6"]}),
    ]
    assert len({str(Version.of([each])) for each in (one, *others)}) == 5
    assert len(str(Version.of([one]))) == DIGITS
