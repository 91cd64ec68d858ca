"""What so many saved rollouts cost: hours and dollars from a measured rate, counted tokens and named assumptions.

    python tests/benchmarks/costs.py --core-rate 1245 [--markdown service/batch/README.md]

`--core-rate` is what `rollouts.py` prints for a core, without a judge. The rate of a GPU is projected as
`projection.py` does, from the tokens that it counted for 1,024 tokens and 8 facts (read from the judge's page) and the
shares of an H100's arithmetic that it assumes; nothing here was timed on a GPU. Prices are assumptions too.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from measures import table
from pages import write_between
from places import REPOSITORY
from projection import rate

JUDGE_PAGE = REPOSITORY / "service" / "judges" / "vllm" / "README.md"
CELL = "| 1024 | 8 | "
WAYS = {"verdict, selected": "1.5b", "cascade": "1.5b", "verdict, whole": "7b"}
# An hour of a GPU and of a core, in dollars, assumed.
GPU_HOUR, CORE_HOUR = 2.0, 0.05
COUNTS = (10**6, 10**7, 10**8, 10**9, 10**10)


def counted(page: Path = JUDGE_PAGE) -> Mapping[str, float]:
    """Tokens to compute for a rollout, by the way of asking."""
    rows = [line.split("|") for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(CELL)]
    return {row[3].strip(): float(row[4]) for row in rows}


def report(core_rate: float, gpu_hour: float, core_hour: float) -> str:
    tokens = counted()
    rates = {f"{way}, {shape}": rate((tokens[way], 0.0), shape) for way, shape in WAYS.items()}
    header = ["rollouts", f"a core, no judge, {core_rate:.0f}/s"]
    header += [f"a GPU, {name}, {per_second:.0f}/s" for name, per_second in rates.items()]
    lines = [
        [
            f"10^{len(str(count)) - 1}",
            _told(count / core_rate / 3600, core_hour),
            *(_told(count / per_second / 3600, gpu_hour) for per_second in rates.values()),
        ]
        for count in COUNTS
    ]
    return table(header, lines)


def _told(hours: float, price: float) -> str:
    return f"{hours:,.1f} h, {hours * price:,.2f} $" if hours < 100 else f"{hours:,.0f} h, {hours * price:,.0f} $"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core-rate", type=float, required=True, help="rollouts a second of a core")
    parser.add_argument("--gpu-hour", type=float, default=GPU_HOUR, help="dollars")
    parser.add_argument("--core-hour", type=float, default=CORE_HOUR, help="dollars")
    parser.add_argument("--markdown", type=Path, help="write the table between this file's markers")
    chosen = parser.parse_args()
    text = report(chosen.core_rate, chosen.gpu_hour, chosen.core_hour)
    print(text)
    if chosen.markdown:
        write_between(chosen.markdown, "costs", text)


if __name__ == "__main__":
    main()
