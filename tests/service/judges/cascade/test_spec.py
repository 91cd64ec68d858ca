from __future__ import annotations

import pytest

from perception_reward.service.judges.cascade.spec import second_stage


def test_a_cascade_names_the_judge_that_is_asked_second():
    assert second_stage("cascade:openai:http://127.0.0.1:8000#m") == "openai:http://127.0.0.1:8000#m"


@pytest.mark.parametrize("spec", ["cascade:", "cascade", "cascade:symbolic", "cascade:cascade:vllm:m", "vllm:m"])
def test_a_second_stage_that_is_no_model_is_refused_with_the_form(spec: str):
    with pytest.raises(ValueError, match="cascade:JUDGE"):
        second_stage(spec)
