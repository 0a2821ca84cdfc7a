"""What identifies a release, and where it is to be found: shared by every description of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

NAME = "data-et-quartiers"
PUBLISHER = "Data & Quartiers"
TITLE = "Data & Quartiers : indicateurs des quartiers prioritaires de la politique de la ville"
DESCRIPTION = (
    "Indicateurs par quartier prioritaire de la politique de la ville (QPV), avec leurs niveaux de comparaison. "
    "Chaque chiffre mène aux lignes des fichiers officiels dont il est fait ; chaque valeur absente dit pourquoi."
)
FICTITIOUS = "DONNÉES FICTIVES. Ce territoire, ses noms, ses codes et ses chiffres sont inventés pour la démonstration."


@dataclass(frozen=True)
class Edition:
    """One release.

    Attributes:
        release_id: its name under `releases/`.
        published_at: time of publication, UTC; the only clock that a release knows.
        sources: demo, mirror or live.
        territory: `france`, `west` or `dep:35,44`.
        base_url: address under which `releases/` is served, without a final slash; None when it is not.
    """

    release_id: str
    published_at: datetime
    sources: str
    territory: str
    base_url: str | None = None

    @property
    def fictitious(self) -> bool:
        return self.sources == "demo"

    @property
    def date(self) -> str:
        return self.published_at.date().isoformat()

    @property
    def timestamp(self) -> str:
        return self.published_at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def marked(self, title: str) -> str:
        """A title that nobody can take for that of real figures, when they are not."""
        return f"FICTIF – {title}" if self.fictitious else title

    def explained(self, description: str) -> str:
        """The same for a description."""
        return f"{FICTITIOUS} {description}" if self.fictitious else description

    def file_uri(self, name: str) -> str:
        """Address of a file of this very release; its bytes never change."""
        return f"{self.base_url}/{self.release_id}/{name}" if self.base_url else f"urn:{NAME}:{self.release_id}:{name}"

    def stable_uri(self, name: str) -> str:
        """Name of a thing that each release describes anew: a dataset, the catalogue, the publisher."""
        return f"{self.base_url}/current/dcat.jsonld#{name}" if self.base_url else f"urn:{NAME}:{name}"
