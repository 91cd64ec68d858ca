"""Write the service's settings into the schema of the chart's values (`make pages`).

The service ignores variables that it does not know, so that only the schema can catch a misspelt one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from perception_reward.service.settings import Settings

SCHEMA = Path(__file__).parents[2] / "deploy/helm/perception-reward/values.schema.json"
# What the chart sets itself.
OWN = frozenset(
    {"host", "port", "api_key", "api_keys_file", "metrics_key", "judge", "judge_api_key", "redis_url", "annotations"}
)


def schema() -> dict[str, Any]:
    """The schema with the settings as they are now."""
    made = json.loads(SCHEMA.read_text())
    settings = made["properties"]["api"]["properties"]["settings"]
    settings["properties"] = {
        name: {"type": ["string", "number", "boolean"]} for name in Settings.model_fields if name not in OWN
    }
    return made


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(schema(), indent=1) + "\n")
