"""What is wrong with objects by the schemas in this folder, a line each: `check.py OBJECTS.yaml [SCHEMA]`.

Without a schema's name it is that of the object's kind.

It runs in the environment of the tools, which has jsonschema.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema
import yaml


def main(path: Path, named: str | None = None) -> None:
    for one in yaml.safe_load_all(path.read_text()):
        name = named or f"{one['kind']}-{one['apiVersion'].split('/')[-1]}"
        schema = json.loads((Path(__file__).parent / f"{name}.json").read_text())
        for error in jsonschema.Draft202012Validator(schema).iter_errors(one):
            sys.stdout.write(f"{name}: {error.json_path}: {error.message[:300]}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
