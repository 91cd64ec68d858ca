"""Writes `service/demo/rollout.svg`: a sample rollout as the demo explains it. `make pages` runs it."""

from __future__ import annotations

import asyncio
import io
import re
from importlib.resources import files
from pathlib import Path

from rich.console import Console, RenderableType
from rich.terminal_theme import TerminalTheme

from perception_reward.service.assembly import assemble
from perception_reward.service.cli.demo import SHOWN, sample_request
from perception_reward.service.report.explained import explained
from perception_reward.service.settings import load
from perception_reward.trainer_client.wire import ScoreRequest

PICTURE = Path(__file__).resolve().parents[2] / "service" / "demo" / "rollout.svg"
COLUMNS = 96
# Dark text on white, and colours that can be told apart: red, green and grey.
THEME = TerminalTheme(
    (255, 255, 255),
    (36, 41, 47),
    [(36, 41, 47), (190, 30, 45), (17, 122, 55), *[(36, 41, 47)] * 5],
    [(87, 96, 106), (190, 30, 45), (17, 122, 55), *[(36, 41, 47)] * 5],
)


def shown() -> RenderableType:
    """The sample rollout, scored now."""
    return asyncio.run(_shown())


async def _shown() -> RenderableType:
    request = sample_request()
    item = next(item for item in request.items if item.id == SHOWN)
    annotations = str(files("perception_reward.service.demo") / "annotations.jsonl")
    service = assemble(load(workers=1, annotations=annotations))
    async with service.running():
        deadline = asyncio.get_running_loop().time() + 60
        response = await service.scorer.score(ScoreRequest(items=[item]), deadline)
        (annotation,) = await service.store.get_many([item.annotation_id or ""])
    return explained(item, annotation, response.results[0], service.scorer.profile(response.profile))


def picture(rollout: RenderableType) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), markup=False, highlight=False)
    console.print(rollout)
    svg = console.export_svg(title="perception-reward demo", theme=THEME, unique_id="rollout")
    # The font is asked for from another site, which an image in a page may not do.
    return re.sub(r"\s*@font-face \{[^}]*\}", "", svg).replace("Fira Code, monospace", "monospace")


if __name__ == "__main__":
    PICTURE.write_text(picture(shown()), encoding="utf-8")
