"""Which verdicts of the rules stand without a model."""

from __future__ import annotations

import pytest

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.cascade.thresholds import decides, packaged, read
from perception_reward.service.judges.symbolic.kinds import KINDS

THRESHOLDS = read("[kinds.length]\nstated = 0.9\ncontradicted = 0.5\n")


@pytest.mark.parametrize(
    ("kind", "label", "certainty", "stands"),
    [
        ("length", "stated", 0.9, True),
        ("length", "stated", 0.89, False),
        ("length", "contradicted", 0.5, True),
        ("length", "absent", 1.0, False),
        ("count", "stated", 1.0, False),
    ],
)
def test_a_verdict_stands_from_its_kinds_and_labels_certainty_on(kind: str, label: str, certainty: float, stands: bool):
    assert decides(THRESHOLDS, kind, Verdict(label, 0.5, certainty=certainty)) is stands  # pyright: ignore[reportArgumentType]


def test_a_settled_verdict_always_stands():
    assert decides({}, "sentence", Verdict("contradicted", 0.1, certainty=0.0, settled=True))


def test_the_packaged_thresholds_are_of_known_kinds_and_leave_plain_sentences_to_the_model():
    assert packaged().keys() <= KINDS
    assert "sentence" not in packaged()
    assert packaged()["length"]["contradicted"] <= 0.9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[kinds.colour]\nstated = 0.9", "'colour'"),
        ("[kinds.length]\nstated = 1.1", "kinds.length: stated = 1.1"),
        ("[kinds.length]\nfalse = 0.9", "kinds.length: false"),
        ('[kinds.length]\nstated = "0.9"', "'0.9'"),
    ],
)
def test_a_wrong_entry_is_named(text: str, words: str):
    with pytest.raises(ValueError, match="kind") as raised:
        read(text)
    assert words in str(raised.value)
