"""Every setting of the service, once: the environment, the command line and the documentation read it from here."""

from __future__ import annotations

import ipaddress
import os
import shlex
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import tomllib
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from perception_reward.service.excerpt import WHOLE, is_scope

ENVIRONMENT_PREFIX = "PERCEPTION_REWARD_"

# Marks a field whose option may be given several times on the command line.
REPEATABLE: JsonDict = {"repeatable": True}

# What a file of judge settings may hold (`judge_config`): all that can change a verdict, and no secret.
CONFIGURED = (
    *("judge", "judge_method", "judge_evidence", "judge_grounding", "judge_language", "judge_scope"),
    *("judge_tokenizer", "judge_engine_arg", "judge_calibration", "max_response_chars"),
)


class SettingsError(Exception):
    """A setting is wrong; the message is one line that names it."""


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """The service's settings, from `PERCEPTION_REWARD_*` variables and the command line."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, extra="ignore", frozen=True)

    host: str = Field(
        default="127.0.0.1", description="Address to listen on. Any but a loopback address needs an API key."
    )
    port: int = Field(default=8420, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    api_key: SecretStr | None = Field(
        default=None,
        description="Key that callers present (Bearer, or the password of HTTP basic). Several, separated by commas, "
        "while one is being replaced.",
    )
    api_keys_file: Path | None = Field(
        default=None,
        description="TOML file of named keys with rights and limits, read again when it changes.",
    )
    metrics_key: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="Key for `/metrics` alone, so that a scraper need not hold one that scores.",
    )
    open_metrics: bool = Field(
        default=False, description="Answer `/metrics` without a key, for scrapers that cannot present one."
    )
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host names, separated by commas, under which a service without a key may be called besides "
        "addresses and names of this machine, and whose pages may send requests.",
    )
    annotations: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Where annotations are: files (JSON Lines, JSON, CSV or Parquet), or one redis:// URL. Several "
        "files, separated by commas, are joined; the first one takes what is written over HTTP.",
    )
    annotations_watch: float = Field(
        default=5.0,
        ge=0.0,
        description="Seconds between looks at the files of annotations and keys: one that has changed is read again, "
        "as at SIGHUP; 0 looks at none. Requests under way finish with what they began with.",
    )
    mark_given: bool = Field(
        default=False,
        description="Ask the judge, when annotations are read, which facts each question alone gives: they do not "
        "count as seen. The files stay as they are; `annotations mark-given` writes the marks down, once for all.",
    )
    profile: str = Field(default="perception-r1", description="Profile of requests that name none.")
    profiles: Path | None = Field(default=None, description="TOML file with profiles of your own.")
    judge: str = Field(
        default="symbolic",
        description="Who decides about facts: `symbolic`; `vllm:MODEL`, a language model in this process; "
        "`openai:URL[,URL…]#MODEL` for vLLM servers; or `cascade:` and one of these two, where the symbolic judge "
        "decides what it is sure of.",
    )
    judge_config: Path | None = Field(
        default=None,
        description="TOML file of judge settings, as `perception-reward judge choose` and `judge train` write it. "
        "What is set otherwise wins over it.",
    )
    judge_method: Literal["verdict", "joint", "paper"] = Field(
        default="verdict",
        description="How an LLM judge is asked: `verdict`, one fact at a time and one token; `joint`, all facts "
        "at once in a forced form; `paper`, all facts at once in free text.",
    )
    judge_evidence: Literal["auto", "whole", "selected"] = Field(
        default="auto",
        description="What an LLM judge reads for each fact: the `whole` response, or only its `selected` sentences "
        "that can bear on the fact; `auto` selects for the method `verdict`, the only one that can.",
    )
    judge_grounding: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether a text without the fact's names and numbers cannot state it, whatever the model says: "
        "`on`, `off`, or `auto`, where evidence is selected.",
    )
    judge_language: Literal["en", "zh"] = Field(
        default="en", description="Language of the prompt of the method `verdict`; responses may be in any."
    )
    judge_scope: str = Field(
        default=WHOLE,
        description="What of a response is judged: `response`, all of it; `think`, its thinking; or the name of a tag, "
        "such as `description`. A response without that part states nothing.",
    )
    judge_api_key: SecretStr | None = Field(default=None, description="Key for the judge's servers.")
    judge_tokenizer: str | None = Field(
        default=None,
        description="Folder or name of the judge model's tokenizer; the model's name if not given.",
    )
    judge_concurrency: int = Field(
        default=64, ge=1, le=4096, description="Requests under way at once per judge server."
    )
    judge_engine_arg: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Engine argument of vLLM as KEY=VALUE for the judge vllm:MODEL, such as tensor_parallel_size=2 or "
        "quantization=fp8; may be repeated. The variable holds all of them, quoted as for a shell.",
        json_schema_extra=REPEATABLE,
    )
    judge_restart: bool = Field(
        default=True, description="Start the engine of the judge vllm:MODEL again when its process dies or hangs."
    )
    cascade_check: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of the facts that a cascade decides by rules about which its model is asked too, in the "
        "background: only to count how often the two agree, in the metrics.",
    )
    judge_calibration: Path | None = Field(
        default=None,
        description="Calibration of the judge's probabilities, from `perception-reward audit --fit` or `judge train`.",
    )
    audit: Path | None = Field(
        default=None,
        description="JSON report of the judge's last audit; shown by /v1/judge and the metrics.",
    )
    max_response_chars: int = Field(
        default=65536,
        ge=256,
        le=4_000_000,
        description="Characters of a response that the judge sees; the rest is cut and the result says `truncated`.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="Redis that keeps verdicts across restarts and replicas; memory alone if not given.",
    )
    redis_timeout: float = Field(
        default=0.25,
        gt=0,
        le=10,
        description="Seconds that one Redis operation may take before it counts as a miss.",
    )
    cache_mb: int = Field(
        default=256,
        ge=1,
        le=65536,
        description="Memory for cached verdicts, in MiB. A sixth as much is kept of recent responses.",
    )
    cache_ttl: int | None = Field(
        default=None, ge=1, description="Seconds until Redis forgets a verdict; never if not given."
    )
    workers: int = Field(
        default_factory=_cores,
        ge=1,
        le=512,
        description="Worker processes for accuracy and the symbolic judge; one per core if not given.",
    )
    worker_memory_mb: int = Field(
        default=2048, ge=256, description="Memory, in MiB, at which a worker is ended and replaced."
    )
    accuracy_time_limit: float = Field(
        default=5.0,
        gt=0,
        le=600,
        description="Seconds of computing to grade one answer; then it is missing: accuracy_timeout.",
    )
    request_timeout: float = Field(
        default=110.0,
        gt=0,
        le=3600,
        description="Seconds for one request, or 512 items of `score`. Trainers give up after about 120 of their own.",
    )
    max_body_mb: int = Field(default=64, ge=1, le=1024, description="Largest request body, in MiB, unpacked.")
    max_buffered_mb: int = Field(
        default=512,
        ge=1,
        description="MiB that the bodies of all requests under way may take, with what is made of them; one that would "
        "exceed it gets 429.",
    )
    max_items: int = Field(default=4096, ge=1, le=65536, description="Most items in one request.")
    max_facts: int = Field(default=256, ge=1, le=65536, description="Most facts of one item.")
    max_pending_items: int = Field(
        default=16384, ge=1, description="Items under way at once; a request that would exceed it gets 429."
    )
    max_connections: int | None = Field(
        default=None,
        ge=1,
        description="Connections open at once: 8192, or as many as the limit of open files allows, if not given.",
    )
    max_connections_per_address: int | None = Field(
        default=None,
        ge=1,
        description="Of these, from one address; three quarters if not given, as a whole cluster can stand behind one.",
    )
    drain_timeout: float = Field(
        default=120.0,
        ge=0,
        le=3600,
        description="Seconds that requests under way get to finish after SIGTERM.",
    )
    rollout_log: Path | None = Field(
        default=None,
        description="Folder for a sample of what is scored, with its responses, which `report` reads. They may hold "
        "private data.",
    )
    rollout_log_share: float = Field(
        default=0.01, gt=0, le=1, description="Share of the groups that the rollout log takes, each whole."
    )
    rollout_log_mb: int = Field(
        default=1024, ge=8, description="MiB that the rollout log's files may take; the oldest go first."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_json: bool = Field(default=False, description="Log one JSON object a line.")
    log_responses: bool = Field(
        default=False,
        description="Log the first 2000 characters of every response, at debug level. They may hold private data.",
    )

    @field_validator("annotations", "trusted_hosts", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
        return value

    @field_validator("judge_engine_arg", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return tuple(shlex.split(value)) if isinstance(value, str) else value

    @field_validator("judge_scope")
    @classmethod
    def _a_name(cls, value: str) -> str:
        if not is_scope(value):
            raise ValueError("give response, think, or the name of a tag without its brackets, such as description")
        return value

    @field_validator("annotations")
    @classmethod
    def _one_kind_of_store(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > 1 and any(is_redis_url(source) for source in value):
            raise ValueError("a Redis URL stands alone; give either files or one URL")
        return value

    @model_validator(mode="after")
    def _an_open_address_needs_a_key(self) -> Self:
        if not self.api_keys and self.api_keys_file is None and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host} can be reached by others and no API key is set; "
                f"set {ENVIRONMENT_PREFIX}API_KEY (--api-key, or --api-keys-file) or listen on 127.0.0.1"
            )
        if self.max_body_mb > self.max_buffered_mb:
            raise ValueError("max_body_mb is above max_buffered_mb, so the largest body could never be taken in")
        if self.max_items > self.max_pending_items:
            raise ValueError("max_items is above max_pending_items, so the largest request could never be admitted")
        return self

    @property
    def api_keys(self) -> tuple[str, ...]:
        """The accepted keys; none means that no key is asked for."""
        if self.api_key is None:
            return ()
        return tuple(key for key in (piece.strip() for piece in self.api_key.get_secret_value().split(",")) if key)


def load(**overrides: object) -> Settings:
    """Settings from the environment, `overrides` (the command line) first, and last what `judge_config` holds.

    `SettingsError` names what is wrong.
    """
    settings = _validated(overrides)
    if settings.judge_config is None:
        return settings
    with naming("judge_config"):
        held = read_judge_config(settings.judge_config)
        rest = {name: value for name, value in held.items() if name not in settings.model_fields_set}
        try:
            return _validated({**rest, **overrides})
        except SettingsError as error:
            raise ValueError(f"{settings.judge_config}: {error}") from None


def read_judge_config(path: Path) -> dict[str, object]:
    """The settings in a file; a calibration is looked for beside it. ValueError, for people, for any other file."""
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
    if unknown := sorted(set(held) - set(CONFIGURED)):
        raise ValueError(
            f"{path} holds {unknown[0]!r}, which is no setting of a judge; there are {', '.join(CONFIGURED)}"
        )
    if isinstance(calibration := held.get("judge_calibration"), str):
        held["judge_calibration"] = path.resolve().parent / calibration
    return held


def _validated(overrides: Mapping[str, object]) -> Settings:
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise SettingsError(message) from None
        raise SettingsError(_named(str(first["loc"][0]), message)) from None


@contextmanager
def naming(field: str) -> Generator[None]:
    """Turn a `ValueError` about the setting `field` into a `SettingsError` that names it."""
    try:
        yield
    except ValueError as error:
        raise SettingsError(_named(field, error)) from None


def _named(field: str, fault: object) -> str:
    return f"{field} ({option_name(field)}, {variable_name(field)}): {fault}"


def option_name(field: str) -> str:
    return "--" + field.replace("_", "-")


def variable_name(field: str) -> str:
    return ENVIRONMENT_PREFIX + field.upper()


def is_redis_url(source: str) -> bool:
    return urlsplit(source).scheme in ("redis", "rediss", "unix")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
