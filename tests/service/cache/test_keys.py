from __future__ import annotations

import time

from hypothesis import assume, given
from hypothesis import strategies as st

from perception_reward.service.cache.keys import facts_digest, grade_key, response_digest, verdict_key
from perception_reward.trainer_client.wire import IDENTIFYING, INCIDENTAL, Fact

FACT = Fact(id="f1", text="Segment AB has length 5.", kind="length")
RESPONSE = response_digest("AB = 5")

short = st.text(min_size=1, max_size=8)


def test_a_key_is_the_same_in_every_process():
    key = verdict_key("judge", FACT, RESPONSE, None)
    assert key == b"pr2:v:" + bytes.fromhex("5706e7ec5aa49ec6c0a191523d3afb2f")


def test_everything_that_changes_a_verdict_changes_the_key():
    longer = Fact(id="f1", text=FACT.text + " ", kind="length")
    other_kind = Fact(id="f1", text=FACT.text, kind="statement")
    keys = {
        verdict_key("judge", FACT, RESPONSE, None),
        verdict_key("other judge", FACT, RESPONSE, None),
        verdict_key("judge", longer, RESPONSE, None),
        verdict_key("judge", other_kind, RESPONSE, None),
        verdict_key("judge", FACT, response_digest("AB = 6"), None),
        verdict_key("judge", FACT, RESPONSE, facts_digest([FACT])),
        verdict_key("judge", FACT, RESPONSE, facts_digest([FACT, longer])),
        verdict_key("judge", FACT, RESPONSE, facts_digest([longer, FACT])),
    }
    assert len(keys) == 8


CHANGES = {
    "identifying": {"text": "Another.", "kind": "angle", "at": (1.0, 2.0), "page": 3, "view": "front"},
    "incidental": {"id": "f9", "weight": 3.0, "polarity": "distractor", "origin": "derived", "confidence": 0.5}
    | {"region": (0.0, 0.0, 1.0, 1.0), "call": "c"},
}


def test_each_field_of_a_fact_is_in_its_keys_or_is_known_to_change_no_verdict() -> None:
    assert (tuple(CHANGES["identifying"]), tuple(CHANGES["incidental"])) == (IDENTIFYING, INCIDENTAL)
    assert {*IDENTIFYING, *INCIDENTAL} == set(Fact.model_fields)
    key = verdict_key("judge", FACT, RESPONSE, None)
    for name, value in (CHANGES["identifying"] | CHANGES["incidental"]).items():
        other = FACT.model_copy(update={name: value})
        same = name in INCIDENTAL
        assert (verdict_key("judge", other, RESPONSE, None) == key) is same, name
        assert (facts_digest([other]) == facts_digest([FACT])) is same, name


@given(short, short, short, short)
def test_neighbouring_fields_cannot_borrow_characters(fingerprint: str, kind: str, other: str, other_kind: str):
    assume((fingerprint, kind) != (other, other_kind))
    fact = Fact.model_construct(id="f", text="t", kind=kind)
    other_fact = Fact.model_construct(id="f", text="t", kind=other_kind)
    assert verdict_key(fingerprint, fact, RESPONSE, None) != verdict_key(other, other_fact, RESPONSE, None)


def test_lone_surrogates_have_keys():
    assert response_digest("\ud800") != response_digest("\udfff")


def test_grades_and_verdicts_do_not_share_keys():
    assert grade_key(RESPONSE)[:6] != verdict_key("judge", FACT, RESPONSE, None)[:6]


def test_the_keys_of_512_responses_with_5_facts_are_cheap():
    facts = [Fact(id=str(n), text=f"Segment AB has length {n}.", kind="length") for n in range(5)]
    responses = [f"{n} " + "We see that AB = 5. " * 150 for n in range(512)]

    def all_keys() -> float:
        began = time.perf_counter()
        for response in responses:
            digest = response_digest(response)
            for fact in facts:
                verdict_key("judge", fact, digest, None)
        return time.perf_counter() - began

    # About 12 ms with the hashing of 1.5 MB of responses; ten times that would be a mistake.
    assert min(all_keys() for _ in range(5)) < 0.12
