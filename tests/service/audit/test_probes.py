from __future__ import annotations

from perception_reward.service.audit.probes import probe
from perception_reward.trainer_client.wire import Fact

FACT = Fact(id="f1", text="Segment AB has length 5.")
OTHER = Fact(id="f2", text="Segment AC has length 7.")


def test_the_same_question_has_the_same_id_whatever_the_fact_is_called():
    one = probe("generated", "plain", FACT, "AB = 5", "stated", problem="p")
    same = probe("generated", "plain", FACT.model_copy(update={"id": "g"}), "AB = 5", "stated", problem="p")
    assert one.id == same.id


def test_another_response_base_or_company_is_another_probe():
    plain = probe("generated", "plain", FACT, "AB = 5", "stated")
    others = [
        probe("generated", "plain", FACT, "AB = 6", "stated"),
        probe("generated", "plain", OTHER, "AB = 5", "stated"),
        probe("generated", "plain", FACT, "AB = 5", "stated", base=plain),
        probe("generated", "plain", FACT, "AB = 5", "stated", asked=(FACT, OTHER)),
    ]
    assert len({plain.id, *(other.id for other in others)}) == 5


def test_a_fact_is_asked_alone_unless_it_has_company():
    assert probe("generated", "plain", FACT, "", "absent").task == (FACT,)
    assert probe("flip", "batch", FACT, "", None, asked=(OTHER, FACT)).task == (OTHER, FACT)


def test_a_lone_surrogate_has_an_id():
    assert len(probe("attack", "odd", FACT, "\ud800", "absent").id) == 16
