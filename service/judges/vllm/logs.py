"""What vLLM's processes log: on standard error in the service's own form, and errors in a file, to be read here.

Why an engine could not start, only its own process knows. It tells its log; the service's error line needs it.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any, cast

from perception_reward.service.logs import JsonFormatter, TextFormatter

_CONFIG = "VLLM_LOGGING_CONFIG_PATH"
# Any of these says that the user has plans of their own for vLLM's log.
_USERS_OWN = (_CONFIG, "VLLM_CONFIGURE_LOGGING")
# The level of vLLM's log, which vLLM itself does not read beside a configuration.
_LEVEL = "VLLM_LOGGING_LEVEL"


class EngineLog:
    """Has to exist before vllm is imported, and its folder as long as engines are started."""

    def __init__(self, folder: Path) -> None:
        self._faults = folder / "faults.jsonl"
        self._faults.touch()
        if not any(name in os.environ for name in _USERS_OWN):
            config = folder / "logging.json"
            config.write_text(json.dumps(self._config()), encoding="utf-8")
            os.environ[_CONFIG] = str(config)

    def close(self) -> None:
        """Before its folder goes."""
        if os.environ.get(_CONFIG, "").startswith(str(self._faults.parent)):
            del os.environ[_CONFIG]

    def mark(self) -> int:
        """Where the log ends now."""
        return self._faults.stat().st_size

    def first_error(self, since: int) -> str | None:
        """What the first error logged after `since` says: its exception's last line, where it is one."""
        with self._faults.open("rb") as file:
            file.seek(since)
            entries = [json.loads(line) for line in file]
        for entry in sorted(entries, key=lambda entry: "traceback" not in entry):
            return _last_line(entry)
        return None

    def _config(self) -> dict[str, object]:
        root = logging.getLogger()
        as_json = any(isinstance(handler.formatter, JsonFormatter) for handler in root.handlers)
        ours = JsonFormatter if as_json else TextFormatter
        level = os.environ.get(_LEVEL, "").upper() or ("INFO" if root.level == logging.DEBUG else "WARNING")
        return {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "service": {"()": f"{ours.__module__}.{ours.__name__}"},
                "json": {"()": f"{JsonFormatter.__module__}.{JsonFormatter.__name__}"},
            },
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "service"},
                "faults": {
                    "class": "logging.FileHandler",
                    "filename": str(self._faults),
                    "formatter": "json",
                    "level": "ERROR",
                },
            },
            "loggers": {"vllm": {"handlers": ["stderr", "faults"], "level": level, "propagate": False}},
        }


def _last_line(entry: Any) -> str:
    text = cast("str", entry.get("traceback") or entry["message"])
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
