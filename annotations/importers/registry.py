"""All importers, by the name that `annotations import` takes."""

from __future__ import annotations

from collections.abc import Mapping

from perception_reward.annotations.importers.captions import CAPTIONS
from perception_reward.annotations.importers.charts import CHARTS
from perception_reward.annotations.importers.clevr import CLEVR
from perception_reward.annotations.importers.coco import COCO
from perception_reward.annotations.importers.documents import DOCUMENTS
from perception_reward.annotations.importers.formalgeo import FORMALGEO
from perception_reward.annotations.importers.gui import GUI
from perception_reward.annotations.importers.mathverse import MATHVERSE
from perception_reward.annotations.importers.model import Importer
from perception_reward.annotations.importers.perception_r1 import PERCEPTION_R1
from perception_reward.annotations.importers.plain import PLAIN
from perception_reward.annotations.importers.propositions import PROPOSITIONS
from perception_reward.annotations.importers.visual_genome import VISUAL_GENOME

IMPORTERS: Mapping[str, Importer] = {
    importer.name: importer
    for importer in (
        *(PROPOSITIONS, FORMALGEO, MATHVERSE, CHARTS, CAPTIONS, COCO, VISUAL_GENOME, CLEVR, GUI, DOCUMENTS),
        *(PERCEPTION_R1, PLAIN),
    )
}
