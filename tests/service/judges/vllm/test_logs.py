"""What vLLM's processes log, and how it is read."""

from __future__ import annotations

import json
import logging.config
import os
from pathlib import Path

import pytest

from perception_reward.service.judges.vllm.logs import EngineLog

CONFIG = "VLLM_LOGGING_CONFIG_PATH"


@pytest.fixture(autouse=True)
def _no_plans_of_the_user(monkeypatch: pytest.MonkeyPatch):
    for name in (CONFIG, "VLLM_CONFIGURE_LOGGING", "VLLM_LOGGING_LEVEL"):
        # Set first, so that what the test does to it is undone.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def configured(log_of_vllm: str) -> logging.Logger:
    logging.config.dictConfig(json.loads(Path(os.environ[CONFIG]).read_text()))
    return logging.getLogger(log_of_vllm)


def close_handlers() -> None:
    for handler in logging.getLogger("vllm").handlers:
        handler.close()
    logging.getLogger("vllm").handlers.clear()
    logging.getLogger("vllm").propagate = True


def test_the_first_exception_logged_is_the_cause(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    log = EngineLog(tmp_path)
    logger = configured("vllm.v1.worker")
    logger.error("an older fault")
    mark = log.mark()
    logger.warning("not an error")
    logger.error("a plain error")
    try:
        raise ValueError("no room\nfor the cache")
    except ValueError:
        logger.exception("EngineCore failed to start.")
    assert log.first_error(mark) == "for the cache"
    close_handlers()
    assert "not an error" in capsys.readouterr().err


def test_an_error_without_an_exception_is_better_than_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    log = EngineLog(tmp_path)
    configured("vllm.engine").error("cannot bind")
    assert log.first_error(0) == "cannot bind"
    assert log.first_error(log.mark()) is None
    close_handlers()
    assert "cannot bind" in capsys.readouterr().err


def test_the_users_own_plans_for_vllms_log_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(CONFIG, "/of/the/user.json")
    log = EngineLog(tmp_path)
    assert os.environ[CONFIG] == "/of/the/user.json"
    log.close()
    assert os.environ[CONFIG] == "/of/the/user.json"


def test_the_users_level_goes_with_errors_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "error")
    log = EngineLog(tmp_path)
    logger = configured("vllm.engine")
    logger.warning("not asked for")
    logger.error("cannot bind")
    assert log.first_error(0) == "cannot bind"
    close_handlers()
    assert "not asked for" not in capsys.readouterr().err


def test_nothing_of_it_is_left_in_the_environment(tmp_path: Path):
    log = EngineLog(tmp_path)
    assert CONFIG in os.environ
    log.close()
    assert CONFIG not in os.environ
