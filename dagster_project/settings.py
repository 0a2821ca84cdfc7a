"""Typed settings. This module is the only one that reads the environment (`DQ_*` variables).

Precedence: explicit arguments, then the environment, then what the home folder was opened with
(`home.json`), then defaults. Paths under `DQ_HOME` are properties, so that no other module spells them.
"""

from __future__ import annotations

import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dagster_project.text_files import replace_text

PROJECT_ROOT = Path(__file__).resolve().parent.parent
WEST = ("22", "29", "35", "44", "49", "53", "56", "72", "85")
TERRITORY = r"^(france|west|dep:[0-9AB]{2,3}(,[0-9AB]{2,3})*)$"
SourcesKind = Literal["demo", "mirror", "live"]
RoadEngineName = Literal["valhalla", "osrm", "tomtom"]


class SettingsError(ValueError):
    """A setting is missing or contradicts another; the message says what to change."""


class Settings(BaseSettings):
    """Everything a run may be told. Frozen: one run, one set of settings."""

    model_config = SettingsConfigDict(env_prefix="DQ_", frozen=True, extra="forbid")

    home: Path = Path("var")
    sources: SourcesKind = "demo"
    mirror: str | None = Field(None, description="folder or http(s) address that holds copies of the sources")
    territory: str = Field("france", description="`france`, `west` or `dep:35,44`")
    inbox: Path | None = Field(None, description="folder for files dropped by a person; default DQ_HOME/inbox")
    webhook_url: str | None = Field(None, description="called with a JSON report when a run fails")
    public_base_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s#?]+$",
        description="address under which releases/ is served, for catalogues; without it they name files by urn:",
    )
    francetravail_client_id: SecretStr | None = Field(None, description="key of an application on francetravail.io")
    francetravail_client_secret: SecretStr | None = Field(None, description="its secret; neither is written anywhere")
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    max_retries: int = 4
    backoff_factor: float = 1.0
    demo_seed: int = 20190101
    road_engine: RoadEngineName = Field("valhalla", description="what gives road times")
    tomtom_key: SecretStr | None = Field(None, description="key of TomTom's Matrix API; never written anywhere")
    rebuild_lock: Path | None = Field(None, description="lock of the release to make again; set by `dq rebuild`")

    @field_validator("home", "inbox", "rebuild_lock")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value if value is None else value.expanduser().absolute()

    @field_validator("territory")
    @classmethod
    def _known_territory(cls, value: str) -> str:
        if re.fullmatch(TERRITORY, value):
            return value
        raise ValueError(f"{value!r} is not a territory: use france, west or dep:35,44")

    @field_validator("francetravail_client_id", "francetravail_client_secret")
    @classmethod
    def _blank_is_none(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value and value.get_secret_value().strip() else None

    @field_validator("public_base_url")
    @classmethod
    def _no_final_slash(cls, value: str | None) -> str | None:
        return value and value.rstrip("/")

    @property
    def archive_dir(self) -> Path:
        return self.home / "archive"

    @property
    def raw_dir(self) -> Path:
        return self.home / "raw"

    @property
    def derived_dir(self) -> Path:
        return self.home / "derived"

    @property
    def reports_dir(self) -> Path:
        return self.home / "reports"

    @property
    def releases_dir(self) -> Path:
        return self.home / "releases"

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def demo_mirror(self) -> Path:
        """The demonstration territory is written as a mirror and read like any other."""
        return self.home / "demo"

    @property
    def inbox_dir(self) -> Path:
        return self.inbox or self.home / "inbox"

    @property
    def has_francetravail_key(self) -> bool:
        return self.francetravail_client_id is not None and self.francetravail_client_secret is not None

    @cached_property
    def departements(self) -> tuple[str, ...] | None:
        """Département codes of the territory; None means all of France."""
        if self.territory == "france":
            return None
        if self.territory == "west":
            return WEST
        return tuple(sorted(self.territory.removeprefix("dep:").split(",")))


def load_settings(**explicit: Any) -> Settings:
    """Settings for this process; raises SettingsError when they contradict each other."""
    given = {key: value for key, value in explicit.items() if value is not None}
    settings = Settings(**given)
    remembered = _remembered(settings.home)
    unset = {key: value for key, value in remembered.items() if key not in settings.model_fields_set}
    settings = Settings(**{**unset, **given})
    if settings.sources == "mirror" and not (settings.mirror or settings.rebuild_lock):
        raise SettingsError("sources=mirror needs a mirror: pass --mirror DIR or set DQ_MIRROR")
    if remembered.get("sources", settings.sources) != "demo" and settings.sources == "demo":
        raise SettingsError(
            f"{settings.home} holds figures from real sources ({remembered['sources']}); the fictitious "
            "demonstration would replace them. Use another folder, for example DQ_HOME=var-demo"
        )
    return settings


def remember(settings: Settings) -> None:
    """Note what this home is opened with, so that the UI and later commands use the same sources."""
    mirror = settings.mirror
    if mirror and "://" not in mirror:
        mirror = str(Path(mirror).expanduser().absolute())
    content = {"sources": settings.sources, "territory": settings.territory, "mirror": mirror}
    replace_text(settings.home / "home.json", json.dumps(content, indent=2) + "\n")


def export_environment(settings: Settings) -> None:
    """Give these settings to everything this process starts or imports: Dagster loads its definitions by itself."""
    exported = {"home", "sources", "mirror", "territory", "inbox", "public_base_url", "demo_seed", "rebuild_lock"}
    exported |= {"road_engine"}
    values = settings.model_dump(include=exported, exclude_none=True)
    os.environ.update({f"DQ_{key.upper()}": str(value) for key, value in values.items()})
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"


def _remembered(home: Path) -> dict[str, Any]:
    path = home / "home.json"
    if not path.exists():
        return {}
    return {key: value for key, value in json.loads(path.read_text(encoding="utf-8")).items() if value is not None}
