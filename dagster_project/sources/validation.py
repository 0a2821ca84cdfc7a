"""Validations of a fetched file, kept as data and shown as asset checks. Names and messages are in French.

Each check returns one `Validation`; a check that does not apply passes and says so. A required one that
fails stops the dataset; the others only warn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dagster_project.sources import bundle, formats, zip_layout
from dagster_project.sources.archive import ArchivedFile
from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage
from dagster_project.sources.zip_layout import UnreadableZipError, ZipProblemError

VARIATION_PERCENT = 25.0

Details = dict[str, str | int | float]


@dataclass(frozen=True)
class Validation:
    """Result of one check on one file.

    Attributes:
        name: stable slug, one of VALIDATION_NAMES.
        required: whether a failure stops the dataset.
        message: plain French.
        details: figures behind the message (sizes in bytes).
    """

    name: str
    passed: bool
    required: bool
    message: str
    details: Details = field(default_factory=dict)


@dataclass(frozen=True)
class _Subject:
    """The file under check, and what was found of its zip, which several checks depend on."""

    dataset: Dataset
    file: SourceFile
    parts: tuple[ArchivedFile, ...]
    references: tuple[ArchivedFile, ...]
    heads: tuple[bytes, ...]
    bomb: ZipProblemError | None  # why the zip must not be extracted
    layout: ZipProblemError | None  # why its members cannot be read
    member: str | None  # the one that is the table

    @property
    def zipped(self) -> bool:
        return zip_layout.is_zip(self.heads[0])


class _FailedError(Exception):
    """A check failed; the first argument is the French message, the second its details."""

    def __init__(self, message: str, details: Details | None = None) -> None:
        super().__init__(message)
        self.message, self.details = message, details or {}


_Outcome = tuple[str, Details]
_NOT_A_ZIP: _Outcome = ("Sans objet : ce fichier n'est pas une archive zip.", {})


def validate_file(
    dataset: Dataset,
    vintage: Vintage,
    file: SourceFile,
    parts: tuple[ArchivedFile, ...],
    previous: ArchivedFile | Sequence[ArchivedFile] | None,
) -> list[Validation]:
    """Check a fetched file before anything reads it.

    Args:
        dataset: the catalogue entry, for its format, encoding and bounds.
        vintage: the edition, named in messages.
        file: the file of that edition, for its zip member and digest.
        parts: the archived file, or the companions of a shapefile, the .shp first.
        previous: what the size is compared with (see `fetch.references`), if anything.

    Returns:
        One result per name of VALIDATION_NAMES, in that order.
    """
    references = (previous,) if isinstance(previous, ArchivedFile) else tuple(previous or ())
    subject = _subject(dataset, file, parts, references)
    return [_run(name, subject, f"{dataset.id} {vintage.vintage}, {parts[0].name}") for name in VALIDATION_NAMES]


def _run(name: str, subject: _Subject, label: str) -> Validation:
    check, required = _CHECKS[name]
    try:
        message, details = check(subject)
    except (_FailedError, ZipProblemError) as error:
        reason = error.message if isinstance(error, _FailedError) else f"L'archive zip est refusée : {error}."
        found = error.details if isinstance(error, _FailedError) else {}
        return Validation(name, False, required, f"{label} : {reason}", found)
    return Validation(name, True, required, message, details)


def _subject(
    dataset: Dataset, file: SourceFile, parts: tuple[ArchivedFile, ...], references: tuple[ArchivedFile, ...]
) -> _Subject:
    heads = tuple(formats.Ends.of_file(part.path).head for part in parts)
    bomb: ZipProblemError | None = None
    layout: ZipProblemError | None = None
    member = None
    if zip_layout.is_zip(heads[0]):
        try:
            zip_layout.check_bomb(parts[0].path)
        except UnreadableZipError as error:
            layout = error
        except ZipProblemError as error:
            bomb = error
        else:
            try:
                member = zip_layout.check_layout(parts[0].path, _pattern(dataset, file, parts[0]))
            except ZipProblemError as error:
                layout = error
    return _Subject(dataset, file, parts, references, heads, bomb, layout, member)


def _pattern(dataset: Dataset, file: SourceFile, part: ArchivedFile) -> str | None:
    """Glob of the member that is the table; None for what is read whole: a workbook, a bundle."""
    if dataset.format == "bundle":
        return None
    of_mirror, of_live = (file.mirror.member if file.mirror else None), file.live.member
    declared = (of_mirror, of_live) if part.origin in ("mirror", "demo") else (of_live, of_mirror)
    pattern = next((glob for glob in declared if glob), None)
    if dataset.format == "xlsx" and (pattern is None or zip_layout.is_workbook(part.path)):
        return None
    return pattern or f"*{formats.SUFFIXES[dataset.format]}"


def _check_empty(subject: _Subject) -> _Outcome:
    for part, head in zip(subject.parts, subject.heads, strict=True):
        if part.size == 0:
            raise _FailedError(
                f"{part.name} est vide (0 octet). Télécharger de nouveau, ou voir la page du producteur."
            )
        if part.size == len(head) and not head.removeprefix(b"\xef\xbb\xbf").strip():
            raise _FailedError(f"{part.name} ne contient que des blancs ({part.size} octets).", {"octets": part.size})
    total = sum(part.size for part in subject.parts)
    return f"{total} octets reçus.", {"octets": total, "fichiers": len(subject.parts)}


def _check_html(subject: _Subject) -> _Outcome:
    for part, head in zip(subject.parts, subject.heads, strict=True):
        title = formats.web_page_title(head)
        if title is not None:
            raise _FailedError(
                f"le site a envoyé une page web (« {title} ») au lieu des données. Ouvrir {part.final_url} dans un "
                "navigateur, puis corriger l'adresse au catalogue ou déposer le fichier dans la boîte de dépôt.",
                {"titre": title},
            )
    return "Ce n'est pas une page web.", {}


def _check_signature(subject: _Subject) -> _Outcome:
    kind = subject.dataset.format
    if kind == "bundle":
        return _check_bundle(subject)
    if subject.zipped and (kind != "xlsx" or subject.member is not None):
        if subject.member is None:
            return "Archive zip ; son contenu est jugé par archive_zip.", {}
        chunks = zip_layout.member_chunks(subject.parts[0].path, subject.member)
        problem = formats.wrong_signature(
            kind, formats.suffix_of(subject.member), formats.Ends.of(chunks), subject.dataset
        )
        if problem:
            raise _FailedError(f"le membre {subject.member!r} {problem}.")
        return f"Archive zip qui contient {subject.member!r}, au format {kind}.", {"membre": subject.member}
    for part in subject.parts:
        suffix = formats.suffix_of(part.name) if len(subject.parts) > 1 else formats.SUFFIXES[kind]
        if problem := formats.wrong_signature(kind, suffix, formats.Ends.of_file(part.path), subject.dataset):
            raise _FailedError(f"{part.name} {problem}.")
    if kind == "shapefile":
        absent = {".shp", ".shx", ".dbf"} - {formats.suffix_of(part.name) for part in subject.parts}
        if absent:
            raise _FailedError(f"il manque au shapefile : {', '.join(sorted(absent))}.")
    if kind == "xlsx" and not (subject.bomb or subject.layout or zip_layout.is_workbook(subject.parts[0].path)):
        raise _FailedError("c'est une archive zip, mais pas un classeur Excel.")
    return f"Les premiers octets sont ceux d'un fichier {kind}.", {}


def _check_bundle(subject: _Subject) -> _Outcome:
    for part in subject.parts:
        name = part.name if formats.suffix_of(part.name) or not subject.zipped else f"{part.name}.zip"
        if problem := bundle.wrong_part(name, formats.Ends.of_file(part.path)):
            raise _FailedError(f"{part.name} {problem}.")
    if subject.bomb or subject.layout:
        return "Archive zip ; son contenu est jugé par archive_zip.", {}
    names = bundle.member_names([(part.path, part.name) for part in subject.parts])
    if missing := bundle.missing_members(names):
        raise _FailedError(f"il manque aux horaires : {', '.join(missing)}.")
    return f"Les premiers octets sont ceux attendus ({len(names)} fichier(s)).", {"fichiers": len(names)}


def _check_zip(subject: _Subject) -> _Outcome:
    if not subject.zipped:
        return _NOT_A_ZIP
    if subject.bomb is not None:
        return "Non vérifié : l'archive n'est pas extraite (voir « bombe »).", {}
    if subject.layout is not None:
        raise subject.layout
    return "Tous les membres se lisent, sommes de contrôle justes.", {"membre": subject.member or ""}


def _check_names(subject: _Subject) -> _Outcome:
    if not subject.zipped:
        return _NOT_A_ZIP
    if subject.bomb is not None or isinstance(subject.layout, UnreadableZipError):
        return "Non vérifié : la table des matières n'a pas été lue (voir « archive_zip » et « bombe »).", {}
    return "Aucun nom de membre dangereux.", {"membres": zip_layout.check_names(subject.parts[0].path)}


def _check_bomb(subject: _Subject) -> _Outcome:
    if not subject.zipped:
        return _NOT_A_ZIP
    if subject.bomb is not None:
        raise subject.bomb
    if isinstance(subject.layout, UnreadableZipError):
        return "Non vérifié : la table des matières n'a pas été lue (voir « archive_zip »).", {}
    summary = zip_layout.check_bomb(subject.parts[0].path)
    return "Taille une fois extraite acceptable.", {"membres": summary.members, "octets_extraits": summary.total}


def _check_size(subject: _Subject) -> _Outcome:
    if subject.parts[0].origin == "demo":
        return "Sans objet : la démonstration est plus petite que la France.", {}
    whole = subject.dataset.format == "bundle"  # its files count together
    size = sum(part.size for part in subject.parts) if whole else subject.parts[0].size
    if subject.member is not None:
        size = zip_layout.member_size(subject.parts[0].path, subject.member)
    elif subject.zipped and not whole and subject.dataset.format != "xlsx":
        return "Non vérifié : l'archive zip n'est pas lisible (voir « archive_zip » et « bombe »).", {}
    bounds = subject.dataset.bytes
    details: Details = {"octets": size, "minimum": bounds.minimum, "maximum": bounds.maximum}
    if not bounds.minimum <= size <= bounds.maximum:
        raise _FailedError(
            f"{size} octets, entre {bounds.minimum} et {bounds.maximum} attendus : fichier tronqué ou remplacé ? "
            "Si la nouvelle taille est juste, corriger `bytes` au catalogue.",
            details,
        )
    return f"{size} octets, dans les bornes du catalogue.", details


def _check_variation(subject: _Subject) -> _Outcome:
    part = subject.parts[0]
    if not subject.references:
        return "Sans objet : aucun fichier antérieur auquel comparer.", {}
    messages, details, beyond = [], Details(octets=part.size), False
    for reference in subject.references:
        same = reference.key == part.key
        against, slug = ("la réception précédente", "reception") if same else (f"{reference.key}", "millesime")
        change = 100 * (part.size - reference.size) / reference.size if reference.size else float(100 * bool(part.size))
        details[f"ecart_{slug}_pourcent"] = round(change, 1)
        beyond = beyond or abs(change) > VARIATION_PERCENT
        messages.append(f"{change:+.0f} % par rapport à {against} ({reference.size} octets)")
    if beyond:
        raise _FailedError(f"{part.size} octets, soit {' ; '.join(messages)} : vérifier que rien ne manque.", details)
    return f"{part.size} octets, soit {' ; '.join(messages)}.", details


def _check_text(subject: _Subject) -> _Outcome:
    kind, part, first_line = subject.dataset.format, subject.parts[0], 1
    if kind in ("xlsx", "parquet"):
        return f"Sans objet : le format {kind} porte son propre encodage.", {}
    if kind == "bundle":
        return _check_texts(subject)
    if subject.zipped:
        if subject.member is None:
            return "Non vérifié : l'archive zip n'est pas lisible (voir « archive_zip » et « bombe »).", {}
        if kind == "shapefile":
            return "Sans objet : le .dbf d'un shapefile zippé est décodé à la lecture.", {}
        name, chunks = subject.member, zip_layout.member_chunks(part.path, subject.member)
    else:
        if kind == "shapefile":
            tables = [part for part in subject.parts if formats.suffix_of(part.name) == ".dbf"]
            if not tables:
                return "Non vérifié : pas de .dbf (voir « signature »).", {}
            part, first_line = tables[0], 0
        name, chunks = part.name, formats.text_chunks(part.path, kind)
    encoding = "utf-8" if kind in ("geojson", "json") else subject.dataset.encoding
    if problem := formats.undecodable(chunks, encoding, first_line):
        raise _FailedError(f"{name} {problem.message}", {"octet": problem.offset, "ligne": problem.line})
    return f"Le texte se décode en {encoding}.", {}


def _check_texts(subject: _Subject) -> _Outcome:
    """Text members of a bundle, each on its own; the others carry their own encoding."""
    if subject.bomb or subject.layout:
        return "Non vérifié : l'archive zip n'est pas lisible (voir « archive_zip » et « bombe »).", {}
    read = 0
    for part in subject.parts:
        for name, chunks in bundle.members(part.path, part.name):
            if not bundle.is_text(name):
                continue
            read += 1
            if problem := formats.undecodable(chunks, subject.dataset.encoding):
                raise _FailedError(f"{name} {problem.message}", {"octet": problem.offset, "ligne": problem.line})
    return f"{read} texte(s) se décode(nt) en {subject.dataset.encoding}.", {"textes": read}


def _check_digest(subject: _Subject) -> _Outcome:
    part, expected = subject.parts[0], subject.file.sha256
    if part.origin != "mirror" or expected is None:
        return "Sans objet : le catalogue ne donne d'empreinte que pour les copies d'un miroir.", {}
    if part.sha256 != expected:
        raise _FailedError(
            "la copie du miroir n'est pas celle que le catalogue décrit (empreinte SHA-256 différente) : la recopier "
            "depuis l'original, ou corriger `sha256` au catalogue après vérification.",
            {"attendue": expected, "recue": part.sha256},
        )
    return "L'empreinte SHA-256 est celle du catalogue.", {"sha256": part.sha256}


_CHECKS: dict[str, tuple[Callable[[_Subject], _Outcome], bool]] = {
    "fichier_vide": (_check_empty, True),
    "page_html": (_check_html, True),
    "signature": (_check_signature, True),
    "archive_zip": (_check_zip, True),
    "noms_membres": (_check_names, True),
    "bombe": (_check_bomb, True),
    "taille": (_check_size, True),
    "variation_taille": (_check_variation, False),
    "texte_decodable": (_check_text, True),
    "empreinte": (_check_digest, True),
}
VALIDATION_NAMES: tuple[str, ...] = tuple(_CHECKS)
