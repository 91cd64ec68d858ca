from __future__ import annotations

import pytest

from perception_reward.service.judges.openai.spec import OpenAISpec, parse_spec


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("openai:http://a:8000#Qwen/Q", OpenAISpec(("http://a:8000",), "Qwen/Q")),
        ("openai:http://a:8000/v1/,https://b/v1#m", OpenAISpec(("http://a:8000", "https://b"), "m")),
        ("openai:http://a/judge/v1#m#2", OpenAISpec(("http://a/judge",), "m#2")),
    ],
)
def test_a_spec_names_endpoints_and_a_model(spec: str, expected: OpenAISpec):
    assert parse_spec(spec) == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("vllm:m", "is written openai:"),
        ("openai:http://a:8000", "names no model"),
        ("openai:http://a:8000# ", "names no model"),
        ("openai:#m", "endpoint 1"),
        ("openai:http://a,#m", "endpoint 2"),
        ("openai:a:8000#m", "endpoint 1"),
        ("openai:http://a:port#m", "endpoint 1"),
        ("openai:http://a,http://a/v1#m", "twice"),
    ],
)
def test_an_unreadable_spec_says_what_is_wrong(spec: str, message: str):
    with pytest.raises(ValueError, match=message):
        parse_spec(spec)


def test_a_password_in_a_url_is_not_repeated():
    with pytest.raises(ValueError, match="endpoint 1") as failure:
        parse_spec("openai:ftp://user:s3cret@host#m")
    assert "s3cret" not in str(failure.value)
