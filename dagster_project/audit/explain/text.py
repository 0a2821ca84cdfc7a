"""The explanation as a person reads it in a terminal: French, at most 100 columns."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.audit.explain.formula import DECIMALS
from dagster_project.audit.explain.layout import wrapped
from dagster_project.audit.explain.model import Explanation, InputInfo, ModelUsed, Reported
from dagster_project.audit.explain.weighed_text import weighed_cells
from dagster_project.pages.french import CORRECTIONS, GENERATIONS, UNITS
from dagster_project.pages.numbers import NO_BREAK, moment, number, plural, quantity
from dagster_project.release.verifier_preuve import FICTIF

SAME_FILE = ("file", "sha256", "member", "dataset")
SHOWN_UNITS = 10
WEIGHT_DECIMALS = 4
IN_UNITS = "habitants de la zone sont dans les unités retenues"


def render(explanation: Explanation, *, sql: bool = False) -> str:
    """The text; `sql` adds the compiled SQL of each model."""
    lines = [*_head(explanation), *_what(explanation), *_how(explanation), *_compared(explanation)]
    lines += [*_inputs(explanation), *_cautions(explanation), *_controlled(explanation), *_models(explanation, sql)]
    lines += _run(explanation)
    return "\n".join(lines) + "\n"


def _title(text: str) -> list[str]:
    return ["", text, "─" * len(text)]


def _head(e: Explanation) -> Iterator[str]:
    figure = e.figure
    if e.fictitious:
        yield from wrapped(FICTIF, 0)
        yield ""
    yield f"{figure.indicator_code} · {e.definition.label}"
    generation = GENERATIONS.get(figure.generation, figure.generation)
    zone = f"{figure.zone_name} ({figure.zone_level_fr} {figure.zone_code}, {generation})"
    yield from wrapped(f"{zone}, édition {figure.vintage}, période de référence : {figure.reference_period}", 0)
    yield ""
    exact = figure.value is not None and round(figure.value, DECIMALS) != figure.value
    yield f"  {figure.value_fr}" + (f"   (avant arrondi : {number(figure.value)})" if exact else "")
    yield from wrapped(f"{figure.status_fr}.")
    if e.absent_source:
        yield from wrapped(e.absent_source)
    if figure.ci_low is not None and figure.ci_high is not None:
        yield f"  Intervalle : de {number(figure.ci_low, DECIMALS)} à {quantity(figure.ci_high, figure.unit, DECIMALS)}"


def _what(e: Explanation) -> Iterator[str]:
    yield from _title("Ce que c’est")
    yield from wrapped(e.definition.text)
    yield from wrapped(f"Mésusage : {e.definition.misuse}")


def _how(e: Explanation) -> Iterator[str]:
    yield from _title("Comment il est calculé")
    if e.model:
        yield from _modelled(e, e.model)
        return
    published = " (valeur publiée par le producteur)" if e.formula.path == "value" and not e.reported else ""
    yield from wrapped(f"{e.formula.symbolic}{published}")
    yield from wrapped(e.formula.numeric)
    yield from wrapped(f"Méthode {e.figure.method} : {e.figure.method_fr}.")
    if e.reported:
        yield from _coverage(e, e.reported)


def _modelled(e: Explanation, model: ModelUsed) -> Iterator[str]:
    yield from wrapped(f"Formule déclarée : {e.formula.declared}")
    if e.weighted:
        made = " = ".join(
            filter(None, (e.weighted.symbolic, e.weighted.numeric, quantity(e.weighted.value, e.figure.unit, DECIMALS)))
        )
        found = "le chiffre publié" if e.weighted.agrees else f"et non le chiffre publié, {e.figure.value_fr}"
        yield from wrapped(f"{made} : {found}, refait d’après {plural(e.weighted.cells, 'cellule')}")
    yield from wrapped(f"Méthode {e.figure.method} : {e.figure.method_fr}.")
    yield from wrapped(f"Modèle {model.name}, version {model.version}")
    for parameter in model.parameters.split(" ; ") if model.parameters else ():
        yield from wrapped(f"– {parameter}", 6, 4)
    if e.weighted:
        yield from wrapped(e.weighted.scope)
    for component in model.components:
        yield from wrapped(f"d’après le chiffre {component}", 4)


def _coverage(e: Explanation, reported: Reported) -> Iterator[str]:
    """What share of the zone the units render, what their weights rest on, where the interval comes from."""
    if e.figure.coverage is not None:
        share = quantity(e.figure.coverage * 100, "%", 1)
        what = "bâtiments de la zone ont une cellule" if reported.level == "LOGEMENT" else IN_UNITS
        yield from wrapped(f"Couverture : {share} des {what}.")
    bases = dict.fromkeys(unit.basis_fr for unit in reported.units)
    cells = plural(len(e.crosswalk_weights), "cellule") + " de population"
    known = f", d’après {cells} (crosswalk_input)" if e.crosswalk_weights else ""
    yield from wrapped(f"Ce qui fonde les poids : {' ; '.join(bases)} (crosswalk){known}.")
    yield from wrapped(reported.interval_basis)


def _compared(e: Explanation) -> Iterator[str]:
    unit = e.figure.unit
    if e.comparisons:
        yield from _title("Comparaison, même édition et même période")
    for line in e.comparisons:
        value = quantity(line.value, unit, DECIMALS) if line.value is not None else line.status_fr
        gap = "" if line.difference is None else f"   écart {'+' if line.difference > 0 else ''}"
        gap += "" if line.difference is None else number(line.difference, DECIMALS)
        name = line.name if line.name and line.name.lower() != line.level_fr.lower() else ""
        where = f"{line.level_fr[:1].upper()}{line.level_fr[1:]} {name}".strip()
        yield from wrapped(f"{where:52} {value}{gap}", 6, 2)
    other = [edition for edition in e.editions if edition.figure_id != e.figure.figure_id]
    if other:
        yield from _title("Autres éditions de ce chiffre")
        shown = (f"{edition.vintage} : {quantity(edition.value, unit, DECIMALS)}" for edition in other)
        yield from wrapped(" ; ".join(shown))


def _inputs(e: Explanation) -> Iterator[str]:
    yield from _title("D’où il vient")
    described: list[tuple[object, ...]] = []
    if e.reported:
        yield from _units(e.reported)
        yield ""
        yield from wrapped(e.reported.scope)
    yield from weighed_cells(e)
    # The cells of units stand in the table of units; one of each file stays, to describe it.
    files = {(entry.sha256, entry.member): entry for entry in e.inputs if entry.term}
    alone = [entry for entry in e.inputs if not entry.term and entry.role != "weight"]
    for rank, entry in enumerate(alone, start=1):
        if rank > 1:
            yield ""
        yield from _input(entry, rank)
        file = tuple(getattr(entry, name) for name in SAME_FILE)
        if file not in described:
            described.append(file)
            yield from _file(entry)
    for entry in files.values():
        yield ""
        yield f"  {entry.member or entry.file}"
        yield from _file(entry)


def _units(reported: Reported) -> Iterator[str]:
    """The heaviest units, each with its cells."""
    one, several = UNITS[reported.level]
    count = plural(len(reported.units), one, several)
    aside = f"{plural(reported.set_aside, 'écartée')} faute d’une cellule" if reported.set_aside else "aucune écartée"
    missing = f", {number(reported.without_cell)} sans cellule dans la source" if reported.without_cell else ""
    more = f" ; les {SHOWN_UNITS} de plus fort poids, toutes avec --json" if len(reported.units) > SHOWN_UNITS else ""
    yield from wrapped(f"Unités : {count}, {plural(reported.counted, 'retenue')}, {aside}{missing}{more}.")
    for unit in reported.units[:SHOWN_UNITS]:
        state = {"set_aside": ", écartée", "without_cell": ", sans cellule"}.get(unit.state, "")
        people = f", {plural(round(unit.population), 'habitant')} dans la zone" if unit.population is not None else ""
        name = f" {unit.name}" if unit.name else ""
        weight = number(unit.weight, WEIGHT_DECIMALS)
        yield from wrapped(f"{one} {unit.code}{name} : poids {weight}{people}{state}", 4, 2)
        if unit.cells:
            yield from wrapped(unit.cells, 6)


def _input(entry: InputInfo, rank: int) -> Iterator[str]:
    name = f"{entry.role_fr[:1].upper()}{entry.role_fr[1:]}"
    variable = f" {entry.variable}" if entry.variable else ""
    text = f"«{NO_BREAK}{entry.raw_value}{NO_BREAK}»" if entry.raw_value else "cellule vide"
    if entry.row is None:
        text = "aucune ligne pour cette zone"
    read = f", lu {number(entry.value)}" if entry.value is not None else ""
    weight = f", poids {number(entry.weight)}" if entry.weight not in {None, 1.0} else ""
    yield from wrapped(f"{rank}. {name}{variable}{NO_BREAK}: {text}{read}{weight}", 5, 2, verbatim=True)
    if entry.raw_value is not None and entry.raw_value_visible != entry.raw_value:
        yield from wrapped(f"espaces rendues visibles{NO_BREAK}: {entry.raw_value_visible}", 5, verbatim=True)
    if entry.status not in {None, "ok"}:
        yield from wrapped(f"{entry.status} : {entry.status_fr}", 5)
    place = f"ligne {entry.row}, colonne" if entry.row is not None else "colonne cherchée :"
    yield from wrapped(f"{entry.member or entry.file}, {place} {entry.column}", 5)
    if entry.correction_id:
        yield from wrapped(f"sous la correction {entry.correction_id}", 5)


def _file(entry: InputInfo) -> Iterator[str]:
    if entry.file and entry.member and entry.file != entry.member.partition("#")[0]:
        yield from wrapped(f"dans le fichier {entry.file}", 5)
    yield f"     SHA-256 {entry.sha256}"
    if entry.file is None:
        return
    yield from wrapped(f"{entry.producer}, « {entry.title} »", 5)
    yield from wrapped(f"{entry.licence} — {entry.licence_url}", 5)
    yield from wrapped(f"page officielle : {entry.page}", 5)
    yield from wrapped(f"reçu le {moment(entry.fetched_at)} de {entry.url} ({entry.copy_of_fr})", 5)


def _cautions(e: Explanation) -> Iterator[str]:
    yield from _title("À savoir")
    for correction in e.corrections:
        value = "" if correction.corrected_value is None else f" {number(correction.corrected_value)}"
        done = CORRECTIONS.get(correction.action, correction.action)
        yield from wrapped(
            f"Correction {correction.correction_id} ({done}{value}, colonne {correction.column}) : "
            f"{correction.reason} Signalée par {correction.reported_by}, le {correction.reported_on}.",
            4,
            2,
        )
    for known in e.breaks:
        edition = "toutes les éditions" if known.vintage == "*" else f"édition {known.vintage}"
        yield from wrapped(f"Rupture ({known.variable_group}, {edition}) : {known.reason}. {known.citation}.", 4, 2)
    if not e.corrections:
        yield "  Aucune correction n’a été appliquée à ces cellules."
    if not e.breaks:
        yield "  Aucune rupture connue de la série."


def _controlled(e: Explanation) -> Iterator[str]:
    yield from _title("Contrôles qui l’ont couvert")
    if e.checks_note:
        yield from wrapped(e.checks_note)
        return
    kinds = dict.fromkeys(check.kind for check in e.checks)
    for kind in kinds:
        of_kind = [check for check in e.checks if check.kind == kind]
        done = [check for check in of_kind if check.passed is not None]
        passed = sum(check.passed is True for check in done)
        yield f"  {kind} : {plural(passed, 'réussi')} sur {number(len(done))}"
    for check in (check for check in e.checks if check.passed is False):
        verdict = "ÉCHEC" if check.severity == "bloquante" else "AVERTISSEMENT"
        yield from wrapped(f"{verdict} {check.table}.{check.check} : {check.observed}", 4, 2)


def _models(e: Explanation, sql: bool) -> Iterator[str]:
    yield from _title("Modèles traversés")
    if e.models_note:
        yield from wrapped(e.models_note)
        return
    for model in e.models:
        yield f"  {model.name:44} version {(model.code_version or 'inconnue')[:12]}"
        if sql and model.sql:
            yield ""
            yield from (f"    {line}" for line in model.sql.splitlines())
            yield ""
    if not sql:
        yield from wrapped("Le SQL exécuté : --sql, ou --json.")


def _run(e: Explanation) -> Iterator[str]:
    run = e.run
    yield from _title("Exécution")
    yield from wrapped(f"Version {e.release.release_id} ; sources : {e.release.sources_fr}")
    when = f", le {moment(run.built_at)}" if run.built_at else ""
    yield from wrapped(f"Exécution {run.run_id}{when} ; verrou : {run.lock_file or 'aucun'}")
    clean = {True: "", False: " (modifié depuis)", None: ""}[run.tree_clean]
    commit = f" ; commit {run.git_commit}{clean}" if run.git_commit else ""
    yield from wrapped(f"Code {(run.code or 'inconnu')[:12]}{commit}")
    if run.libraries:
        names = ("duckdb", "dbt-core", "dbt-duckdb")
        yield from wrapped(", ".join(f"{name} {run.libraries[name]}" for name in names if name in run.libraries))
