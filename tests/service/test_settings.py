from __future__ import annotations

from pathlib import Path

import pytest

from perception_reward.service.settings import SettingsError, is_loopback, load


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("PERCEPTION_REWARD_"):
            monkeypatch.delenv(name)


def test_the_defaults_need_nothing():
    settings = load()
    assert (settings.host, settings.judge, settings.profile) == ("127.0.0.1", "symbolic", "perception-r1")
    assert settings.workers >= 1


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PERCEPTION_REWARD_PORT", "9000")
    monkeypatch.setenv("PERCEPTION_REWARD_ANNOTATIONS", "a.jsonl, b.parquet")
    settings = load()
    assert settings.port == 9000
    assert settings.annotations == ("a.jsonl", "b.parquet")


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PERCEPTION_REWARD_PORT", "9000")
    assert load(port=9001).port == 9001


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"port": "eighty"}, ["port", "--port", "PERCEPTION_REWARD_PORT", "integer"]),
        ({"judge_scope": "<description>"}, ["judge_scope", "--judge-scope", "without its brackets"]),
        ({"log_level": "loud"}, ["log_level", "--log-level", "debug"]),
        ({"host": "0.0.0.0"}, ["0.0.0.0", "API_KEY"]),
        ({"annotations": "a.jsonl,redis://r"}, ["annotations", "alone"]),
        ({"max_items": 100, "max_pending_items": 10}, ["max_items", "max_pending_items"]),
        ({"max_body_mb": 64, "max_buffered_mb": 32}, ["max_body_mb", "max_buffered_mb"]),
    ],
)
def test_a_wrong_setting_is_told_in_one_line_that_names_it(overrides: dict[str, object], words: list[str]):
    with pytest.raises(SettingsError) as caught:
        load(**overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_an_open_address_with_a_key_is_fine():
    assert load(host="0.0.0.0", api_key="secret").api_keys == ("secret",)


def test_several_keys_serve_while_one_is_replaced():
    assert load(api_key="new, old").api_keys == ("new", "old")


def test_a_secret_is_not_shown():
    settings = load(api_key="hunter2", redis_url="redis://:hunter2@host")
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_loopback_addresses_are_told_from_others(host: str, loopback: bool):
    assert is_loopback(host) is loopback


def test_a_file_of_judge_settings_is_read_and_what_is_set_otherwise_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = tmp_path / "judge.toml"
    config.write_text(
        'judge = "vllm:m"\njudge_grounding = "off"\njudge_evidence = "whole"\njudge_calibration = "c.json"\n'
    )
    monkeypatch.setenv("PERCEPTION_REWARD_JUDGE_EVIDENCE", "selected")
    settings = load(judge_config=config, judge="symbolic")
    assert (settings.judge, settings.judge_evidence, settings.judge_grounding) == ("symbolic", "selected", "off")
    assert settings.judge_calibration == tmp_path / "c.json"
    monkeypatch.setenv("PERCEPTION_REWARD_JUDGE_CONFIG", str(config))
    assert load().judge == "vllm:m"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["judge.toml cannot be read: No such file"]),
        ("judge = ", ["judge.toml is no TOML"]),
        ("\udcff", ["judge.toml is no TOML"]),
        ('judge_api_key = "secret"', ["judge.toml holds 'judge_api_key'", "no setting of a judge; there are judge, "]),
        ('judge_method = "vote"', ["judge.toml: judge_method", "verdict"]),
    ],
)
def test_a_bad_file_of_judge_settings_is_told_in_one_line(tmp_path: Path, content: str | None, words: list[str]):
    config = tmp_path / "judge.toml"
    if content is not None:
        config.write_text(content, errors="surrogateescape")
    with pytest.raises(SettingsError) as caught:
        load(judge_config=config)
    message = str(caught.value)
    assert message.startswith("judge_config (--judge-config")
    assert "\n" not in message
    assert all(word in message for word in words), message
