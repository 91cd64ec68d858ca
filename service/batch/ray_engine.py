"""Beyond one machine: Ray Data reads and writes, and actors score, each with the parts of a service of its own.

    job = RayJob(files, Selection(), Asking(table=True), "s3://bucket/results", settings)
    counted = job.run()

The plan is a read, one `map_batches` and a write, because only so does Ray's checkpoint work: by the ids of the rows
that were written, a job that was killed goes on. Whatever would turn that off, and Ray would only warn of, is refused
here. A record that cannot be read, and one that no judge answers for, is a missing row of the results; none ends a job.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import secrets
import shutil
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from perception_reward.annotations.faults import LineError
from perception_reward.annotations.files import is_url, remote
from perception_reward.service.batch.chunks import UNREADABLE, Answered, Asking, Chunk, answers, explanations
from perception_reward.service.batch.files import Files
from perception_reward.service.batch.layouts import Layout
from perception_reward.service.batch.pipeline import RECORDS
from perception_reward.service.batch.results import row_of, table_schema
from perception_reward.service.batch.rollouts import Rollout, read_rollouts
from perception_reward.service.batch.scorings import Scoring, ServiceScoring, UrlScoring, client_of
from perception_reward.service.batch.selection import Selection
from perception_reward.service.settings import Settings
from perception_reward.trainer_client.missing import missing_result
from perception_reward.trainer_client.wire import ScoreItem

# CPUs that Ray counts for a reader and a writer; and what the actors leave: Ray's own look at the files takes one, and
# so does what passes over the rows that are written, once a job goes on.
READER, LEFT = 0.25, 2.0
# What Ray says where it goes on without a checkpoint.
TURNED_OFF = ".*doesn't support checkpointing.*"


class RayRefused(ValueError):
    """A job that Ray could not go on with after a failure, or that it cannot read; the message says why."""


class RayFailed(OSError):
    """Ray has given the job up; the message says why. The same job again goes on."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of the results, and those of them that have no score."""

    rows: int
    missing: int


@dataclass(frozen=True, slots=True)
class RayJob:
    """actors: how many score side by side; 0 for as many as the cluster has room for. gpus: of each actor, which Ray
    gives it on one machine; a judge in the process needs as many as its model is spread over. urls: running services,
    instead of a judge of the actors."""

    files: Files
    selection: Selection
    asking: Asking
    out: str
    settings: Settings
    urls: Sequence[str] = ()
    prefix: str | None = None
    actors: int = 0
    gpus: float = 0
    replace: bool = False

    def run(self) -> Counted:
        """What the results hold.

        Raises `RayRefused`, `RayFailed`, and for what no actor could start with `SettingsError`, `StoreError` and
        `RewardError`.
        """
        ray, data = _ray()
        layout, column = self._layout()
        asyncio.run(self._check_judge())
        if not ray.is_initialized():
            ray.init(logging_level="warning", log_to_driver=False)
        checkpoint = f"{self.out.rstrip('/')}.checkpoint"
        self._prepare(ray, checkpoint)
        actors = self.actors or _actors(ray, self.gpus)
        context = data.DataContext.get_current()
        _check_unique(_read(data, self.files), column)
        # Behind the look at the ids, which is a plan of its own, and before the read: a data set keeps the context that
        # it was made in.
        context.checkpoint_config = importlib.import_module("ray.data.checkpoint").CheckpointConfig(column, checkpoint)
        try:
            scored = _read(data, self.files).map_batches(
                RayActor,
                fn_constructor_args=(self, layout, column),
                batch_size=RECORDS,
                batch_format="pyarrow",
                compute=data.ActorPoolStrategy(size=actors),
                num_cpus=_share(ray, actors),
                num_gpus=self.gpus or None,
            )
            with nothing_turned_off():
                scored.write_parquet(self.out, ray_remote_args={"num_cpus": READER})
        except RayRefused:
            raise
        except Exception as error:
            raise RayFailed(
                f"Ray has given up: {_cause(error)}; the same command goes on from what is written"
            ) from None
        finally:
            context.checkpoint_config = None
        for place in (f"{checkpoint}.plan", checkpoint):
            _remove(place)
        return _counted(data, self.out)

    def _layout(self) -> tuple[Layout, str]:
        """The layout of the first file, and the column of its ids."""
        first = self.files[0]
        layout = first.layout
        column = first.found.get("id")
        if column is None or "." in column:
            raise RayRefused(
                "Ray goes on by the ids of the rows, and these rollouts have no column of ids; name one with --map "
                "id=COLUMN, or give the job a file at a time to --engine local"
            )
        if self.selection.seed or self.selection.limit is not None:
            raise RayRefused(
                "--sample and --limit would choose other records when the job goes on, because Ray keeps no order; "
                "choose with --where, or write the chosen records to a file with --engine local"
            )
        if any(len(read_rollouts(1, record, layout)) > 1 for record in first.first):
            raise RayRefused(
                "these records hold several responses each, and Ray goes on by the record: of one that was written in "
                "part it would lose the rest; use --engine local"
            )
        return layout, column

    async def _check_judge(self) -> None:
        """See here what would keep every actor from starting."""
        if self.urls:
            async with client_of(self.settings, self.urls, self.prefix) as client:
                await client.check()
        else:
            from perception_reward.service.assembly import assemble

            assemble(self.settings)

    def _plan(self) -> dict[str, str]:
        where = "; ".join(f"{one.column}{one.comparison}{one.value}" for one in self.selection.where)
        judge = ",".join(self.urls) or f"{self.settings.judge} {self.settings.judge_method}"
        return {
            "set of input files": ",".join(sorted(str(path) for path in self.files.paths)),
            "judge": judge,
            "--profile": self.settings.profile,
            "--where": where,
            "--step": str(self.asking.step),
            "--explain": str(self.asking.explain),
            "--prefix": str(self.prefix),
        }

    def _prepare(self, ray: Any, checkpoint: str) -> None:
        """Begin anew, or see that what is there is an unfinished run of this plan."""
        begun = _told(f"{checkpoint}.plan")
        if self.replace and (begun is None or begun != self._plan()):
            for place in (self.out, checkpoint, f"{checkpoint}.plan"):
                _remove(place)
            begun = None
        if begun is None and _exists(self.out):
            raise RayRefused(f"{self.out} exists; name another folder, or pass --force to replace it")
        if begun is not None and begun != self._plan():
            differing = [name for name, value in self._plan().items() if begun.get(name) != value]
            raise RayRefused(
                f"{self.out} was begun with another {', another '.join(differing)}; go on with the same, or "
                "pass --force to begin anew"
            )
        if not is_url(self.out):
            Path(checkpoint).mkdir(parents=True, exist_ok=True)
            _check_shared(ray, Path(checkpoint))
        _note(f"{checkpoint}.plan", self._plan())


class RayActor:
    """What Ray calls with a batch of records and gets the results from: asynchronous, so that batches overlap."""

    def __init__(self, job: RayJob, layout: Layout, column: str) -> None:
        self._job = job
        self._layout = layout
        self._column = column
        self._ready: asyncio.Future[Scoring] | None = None
        self._stack = AsyncExitStack()

    async def __call__(self, batch: Any) -> Any:
        """The results as a table. Never raises for a row: what cannot be scored is missing, with the reason."""
        scoring = await self._scoring()
        records = [(place, row) for place, row in enumerate(batch.to_pylist()) if self._takes(row)]
        chunk = Chunk(0, "rows", "row", self._layout, records, (0, len(records)))
        answered = await self._answers(chunk, scoring)
        pairs = [(one, result) for _, one, result in answered if isinstance(one, Rollout) and result is not None]
        explained = iter(await explanations(pairs, self._job.asking, scoring))
        rows = [
            _unread(one)
            if isinstance(one, LineError) or result is None
            else row_of(one, result, self._job.asking.step, next(explained))
            for _, one, result in answered
        ]
        return _table(rows, batch, self._column, [place for place, _, _ in answered])

    def _takes(self, row: dict[str, Any]) -> bool:
        return all(condition.holds(row) for condition in self._job.selection.where)

    async def _answers(self, chunk: Chunk, scoring: Scoring) -> list[Answered]:
        """Where the chunk fails as a whole, its records are tried one by one."""
        try:
            return await answers(chunk, self._job.asking, scoring)
        except Exception as error:
            if len(chunk.records) == 1:
                place = chunk.records[0][0]
                return [(place, LineError(place, "", f"{type(error).__name__}: {error}"), None)]
        each = [replace(chunk, records=[record]) for record in chunk.records]
        return [one for part in each for one in await self._answers(part, scoring)]

    async def _scoring(self) -> Scoring:
        """Started at the first batch, in the event loop of the batches."""
        if self._ready is None:
            self._ready = asyncio.ensure_future(self._start())
        return await asyncio.shield(self._ready)

    async def _start(self) -> Scoring:
        job = self._job
        if job.urls:
            client = client_of(job.settings, job.urls, job.prefix, explain=job.asking.explain)
            return UrlScoring(await self._stack.enter_async_context(client))
        # Here, and not where the job is described: the command itself scores nothing.
        from perception_reward.service.assembly import assemble, preload_of

        settings = job.settings.model_copy(update={"workers": 1})
        service = assemble(settings, preload=preload_of(settings))
        await self._stack.enter_async_context(service.running())
        return ServiceScoring(service, job.prefix, explain=job.asking.explain)


def _unread(fault: object) -> dict[str, Any]:
    """The row of a record that could not be read."""
    nothing = missing_result(None, "service_unavailable").model_copy(update={"reason": UNREADABLE})
    return row_of(
        Rollout(ScoreItem(response=""), {"fault": fault.message if isinstance(fault, LineError) else ""}), nothing, None
    )


def _table(rows: Sequence[dict[str, Any]], batch: Any, column: str, places: Sequence[int]) -> Any:
    """The results, with the ids as they were read at these places: by them the checkpoint knows what was written."""
    arrow: Any = importlib.import_module("pyarrow")
    table = arrow.Table.from_pylist(rows, table_schema(rows))
    ids = batch.column(column).take(arrow.array(places, arrow.int64()))
    if column in table.column_names:
        return table.set_column(table.column_names.index(column), column, ids)
    return table.append_column(column, ids)


def _ray() -> tuple[Any, Any]:
    try:
        return importlib.import_module("ray"), importlib.import_module("ray.data")
    except ImportError as error:
        raise RayRefused(f"--engine ray needs Ray Data: pip install 'perception-reward[ray]' ({error})") from None


def _cause(error: BaseException) -> str:
    """The last line of what went wrong in another process, where that is where it did."""
    while isinstance(inner := getattr(error, "cause", None), BaseException):
        error = inner
    told = str(error).strip().splitlines()
    return told[-1].strip() if told else type(error).__name__


def _actors(ray: Any, gpus: float) -> int:
    """How many the cluster has room for now: the command itself, or another job, may hold some of it."""
    free = ray.available_resources()
    return max(1, int(free.get("GPU", 0) / gpus if gpus else free.get("CPU", 1)))


def _share(ray: Any, actors: int) -> float:
    """CPUs of an actor, so that all of them leave room for reading: without it nothing would ever begin."""
    free = max(0.0, ray.available_resources().get("CPU", 0) - LEFT)
    return min(1.0, int(100 * free / actors) / 100)


def _read(data: Any, files: Files) -> Any:
    """All of the files as one data set, read by Ray."""
    names = [str(path) if is_url(str(path)) else str(Path(str(path)).resolve()) for path in files.paths]
    forms = {form for name in names for form in (_form(name),)}
    if len(forms) != 1 or None in forms:
        raise RayRefused(
            "Ray reads files of one form, .parquet or .jsonl (.gz, .zst); convert the others with --engine local, "
            "whose results may be any of them"
        )
    if forms == {"parquet"}:
        return data.read_parquet(names, num_cpus=READER)
    # Not `lines=True`: pandas would read the answer "5" as a number, and the id "007" as 7.
    return data.read_json(names, num_cpus=READER, file_extensions=None)


def _form(name: str) -> str | None:
    plain = name.removesuffix(".gz").removesuffix(".zst")
    if name.endswith(".parquet"):
        return "parquet"
    return "lines" if plain.endswith((".jsonl", ".ndjson")) else None


def _check_unique(rows: Any, column: str) -> None:
    """Refuse ids that come twice: of such rows the second would be taken for written. Eight bytes a row are held."""
    numpy: Any = importlib.import_module("numpy")
    pandas: Any = importlib.import_module("pandas")
    seen: list[Any] = []
    for batch in rows.select_columns([column]).iter_batches(batch_size=1 << 16, batch_format="pyarrow"):
        if batch.column(column).null_count:
            raise RayRefused(f"rows have no {column}, and Ray goes on by it; give each row an id")
        seen.append(pandas.util.hash_array(batch.column(column).to_numpy(zero_copy_only=False), categorize=False))
    hashes = numpy.concatenate(seen) if seen else numpy.empty(0)
    if (twice := len(hashes) - len(numpy.unique(hashes))) > 0:
        raise RayRefused(f"{twice} rows have a {column} that another row has, and Ray goes on by it; make it unique")


@contextmanager
def nothing_turned_off() -> Generator[None]:
    """Make an end of a plan without a checkpoint, for which Ray has a warning alone."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=TURNED_OFF)
        try:
            yield
        except UserWarning as warning:
            raise RayRefused(f"Ray would go on without a checkpoint: {warning}") from None


def _check_shared(ray: Any, folder: Path) -> None:
    """Refuse a folder that not every machine of the cluster sees."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    if len(nodes) < 2:
        return
    token = folder / f"{secrets.token_hex(8)}.seen"
    token.touch()
    strategy = importlib.import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
    look = ray.remote(num_cpus=0)(os.path.exists)
    try:
        asked = [
            look.options(scheduling_strategy=strategy(node["NodeID"], soft=False)).remote(str(token)) for node in nodes
        ]
        if not all(ray.get(asked)):
            raise RayRefused(f"{folder} is not the same on all machines; name a shared folder or a URL such as s3://…")
    finally:
        token.unlink()


def _counted(data: Any, out: str) -> Counted:
    rows = missing = 0
    for batch in data.read_parquet(out, columns=["status"], num_cpus=READER).iter_batches(batch_format="pyarrow"):
        rows += batch.num_rows
        missing += batch.column("status").to_pylist().count("missing")
    return Counted(rows, missing)


def gpus_of(settings: Settings) -> int:
    """How many GPUs a judge in the process needs: as many as its model is spread over."""
    if not settings.judge.startswith("vllm:"):
        return 0
    parts = [argument.partition("=") for argument in settings.judge_engine_arg]
    named = {name: value for name, _, value in parts}
    return int(named.get("tensor_parallel_size", 1)) * int(named.get("pipeline_parallel_size", 1))


def _told(place: str) -> dict[str, str] | None:
    if not _exists(place):
        return None
    with (remote(place) if is_url(place) else Path(place)).open("rb") as told:
        return json.loads(told.read())


def _note(place: str, plan: Mapping[str, str]) -> None:
    with (remote(place) if is_url(place) else Path(place)).open("wb") as out:
        out.write(json.dumps(plan).encode())


def _exists(place: str) -> bool:
    return (remote(place) if is_url(place) else Path(place)).exists()


def _remove(place: str) -> None:
    if not _exists(place):
        return
    if is_url(place):
        found = remote(place)
        found.system.rm(found.path, recursive=True)
    elif Path(place).is_dir():
        shutil.rmtree(place)
    else:
        Path(place).unlink()
