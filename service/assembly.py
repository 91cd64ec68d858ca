"""The service put together: from settings to running parts, in one place and in the order in which they start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from perception_reward.annotations.figures import concern
from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.stats import Stats
from perception_reward.annotations.store import AnnotationStore, StoreError, every
from perception_reward.service.admission import Admission
from perception_reward.service.audit.figures import AuditReport
from perception_reward.service.audit.last import AuditSummary, read_report, summarise
from perception_reward.service.cache.tiered import MemoryCache, VerdictCache
from perception_reward.service.judges.base import Health, Judge
from perception_reward.service.judges.make import make_judge
from perception_reward.service.keyring import Keyring
from perception_reward.service.metrics import Metrics
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.profiles.model import Profile
from perception_reward.service.rewards.grading import OWN_PRELOAD, AccuracyGrader
from perception_reward.service.rewards.grading import PRELOAD as GRADING
from perception_reward.service.rewards.registry import registered
from perception_reward.service.rollout_log import RolloutLog
from perception_reward.service.scoring.marked_store import MarkedStore
from perception_reward.service.scoring.readings import READINGS_A_MIB, Readings
from perception_reward.service.scoring.scorer import Scorer
from perception_reward.service.settings import Settings, SettingsError, is_redis_url, naming

logger = logging.getLogger(__name__)

# Imported once by the process that workers are forked from, so that a replaced worker is ready in milliseconds.
JUDGING = ("perception_reward.service.judges.symbolic.judge", "perception_reward.service.judges.llm.evidence")
PRELOAD = (*GRADING, *JUDGING)


class Startable(Protocol):
    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Service:
    """The running parts. Belongs to the event loop in which it runs."""

    settings: Settings
    metrics: Metrics
    admission: Admission
    keyring: Keyring
    profiles: Mapping[str, Profile]
    store: AnnotationStore
    cache: VerdictCache
    pool: WorkerPool
    judge: Judge
    scorer: Scorer
    audit: AuditReport | None = None
    rollout_log: RolloutLog | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Start every part, and close them in reverse order."""
        parts: Sequence[Startable] = (self.store, self.cache, self.pool, self.judge)
        async with AsyncExitStack() as stack:
            if self.rollout_log is not None:
                stack.push_async_callback(asyncio.to_thread, self.rollout_log.close)
            for part in parts:
                stack.push_async_callback(part.aclose)
                await _start(part)
            await self._check_annotations()
            await self.tell_annotations()
            stack.push_async_callback(self.scorer.aclose)
            info = self.judge.info
            self.metrics.describe(info.name, info.method, info.fingerprint)
            if (audit := self.last_audit) is not None:
                self.metrics.audited(audit)
            yield

    @property
    def last_audit(self) -> AuditSummary | None:
        """Of the judge as it is now, which is only known once it is started; None where there is no report."""
        return summarise(self.audit, self.judge.info, self.settings.judge_scope) if self.audit is not None else None

    async def store_health(self) -> Health:
        """Whether annotations can be read, and how many there are."""
        try:
            return Health(True, f"{await self.count_annotations()} loaded")
        except StoreError as error:
            return Health(False, str(error))

    async def _check_annotations(self) -> None:
        """Refuse files without a single annotation: an import or a copy has failed. `SettingsError` names them."""
        sources = self.settings.annotations
        if sources and not is_redis_url(sources[0]) and not await self.store.count():
            with naming("annotations"):
                raise ValueError(
                    f"{', '.join(Path(source).name for source in sources)}: there is no annotation in it; to fill a "
                    "store over HTTP, start with a file that holds the first one, or with a redis:// URL"
                )

    async def tell_annotations(self) -> None:
        """Log what the files hold, and why their facts may not be trusted. Redis may hold too much to be counted."""
        if not self.settings.annotations:
            return
        in_redis = is_redis_url(self.settings.annotations[0])
        if not in_redis:
            stats = Stats.of([annotation async for annotation in every(self.store)])
            if stats.without_seen == stats.annotations:
                logger.warning("no annotation has a seen fact, so there is no perception reward: %s", stats)
            else:
                logger.info("loaded: %s", stats)
        try:
            header = await self.store.header()
        except StoreError:
            if not in_redis:  # Redis need not be there yet
                raise
            return
        if (doubt := concern(header.figures, header.version)) is not None:
            logger.warning("%s", doubt)

    async def count_annotations(self) -> int:
        count = await self.store.count()
        self.metrics.annotations.set(count)
        return count

    def gauge(self) -> None:
        """Bring the gauges up to date that nobody reports to."""
        self.metrics.pending_items.set(self.admission.pending_items)
        self.metrics.worker_queue.set(self.pool.queue_depth)
        self.metrics.workers_alive.set(self.pool.living)


async def _start(part: Startable) -> None:
    try:
        await part.start()
    except OSError as error:
        if not isinstance(part, FileStore | MarkedStore):
            raise
        reason = error.strerror or str(error)
        with naming("annotations"):
            raise ValueError(
                f"{f'{error.filename} cannot be read: ' if error.filename else ''}{reason}; give the .jsonl, .jsonl.gz "
                "or .parquet files that hold the annotations, separated by commas"
            ) from None
    except ValueError as error:
        # A model without a chat template, say: nothing that time or another try would mend.
        raise SettingsError(str(error)) from error


def preload_of(settings: Settings) -> Sequence[str]:
    """What the workers of a job need that has the one profile of `settings`."""
    parity = _profiles(settings)[settings.profile].mode == "parity"
    return PRELOAD if parity else (*OWN_PRELOAD, *JUDGING)


def assemble(settings: Settings, *, preload: Sequence[str] = PRELOAD) -> Service:
    """The parts that `settings` describe, not yet started. `SettingsError` names the setting that is wrong.

    preload: what workers have imported before the service is ready; without it the first requests pay for that.
    """
    metrics = Metrics()
    keyring = _keyring(settings)
    profiles = _profiles(settings)
    pool = WorkerPool(
        settings.workers,
        time_limit=settings.accuracy_time_limit,
        memory_mb=settings.worker_memory_mb,
        preload=preload,
        on_restart=metrics.worker_restarted,
    )
    with naming("annotations"):
        store = _store(settings)
    with naming("redis_url"):
        cache = _cache(settings, metrics)
    with naming("judge"):
        judge = make_judge(settings, pool, metrics)
    if settings.mark_given:
        store = MarkedStore(store, judge, max_response_chars=settings.max_response_chars)
    with naming("audit"):
        audit = read_report(settings.audit) if settings.audit is not None else None
    scorer = Scorer(
        store=store,
        cache=cache,
        judge=judge,
        grader=AccuracyGrader(pool),
        profiles=profiles,
        components=registered(),
        default_profile=settings.profile,
        max_response_chars=settings.max_response_chars,
        part=settings.judge_scope,
        readings=Readings(settings.cache_mb * READINGS_A_MIB),
        observer=metrics,
    )
    admission = Admission(settings.max_pending_items)
    with naming("rollout_log"):
        rollout_log = _rollout_log(settings, metrics)
    return Service(
        settings, metrics, admission, keyring, profiles, store, cache, pool, judge, scorer, audit, rollout_log
    )


def _rollout_log(settings: Settings, metrics: Metrics) -> RolloutLog | None:
    folder = settings.rollout_log
    if folder is None:
        return None
    try:
        return RolloutLog(folder, settings.rollout_log_share, settings.rollout_log_mb, metrics.rollouts_logged)
    except OSError as error:
        raise ValueError(f"{folder} cannot be written to: {error.strerror}") from None


def _keyring(settings: Settings) -> Keyring:
    scrape_key = settings.metrics_key.get_secret_value() if settings.metrics_key is not None else None
    with naming("api_keys_file"):
        try:
            return Keyring(settings.api_keys, scrape_key, settings.api_keys_file)
        except OSError as error:
            raise ValueError(f"{error.filename} cannot be read: {error.strerror}") from None


def _profiles(settings: Settings) -> Mapping[str, Profile]:
    with naming("profiles"):
        profiles = load_profiles(settings.profiles)
    with naming("profile"):
        if settings.profile not in profiles:
            raise ValueError(f"unknown {settings.profile!r}; known: {', '.join(sorted(profiles))}")
    return profiles


def _store(settings: Settings) -> AnnotationStore:
    if settings.annotations and is_redis_url(settings.annotations[0]):
        # Here, as below: a third of a second to import, which jobs without Redis need not wait for.
        from perception_reward.annotations.redis_store import RedisStore

        return RedisStore(settings.annotations[0])
    return FileStore([Path(source) for source in settings.annotations])


def _cache(settings: Settings, metrics: Metrics) -> VerdictCache:
    redis = None
    if settings.redis_url is not None:
        from perception_reward.service.cache.redis_cache import RedisCache

        redis = RedisCache(
            settings.redis_url.get_secret_value(),
            deadline=settings.redis_timeout,
            ttl=settings.cache_ttl,
            observer=metrics,
        )
    return VerdictCache(MemoryCache(settings.cache_mb << 20), redis, metrics)
