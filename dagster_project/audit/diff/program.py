"""Whether two releases were made by one program, as far as figures depend on it."""

from __future__ import annotations

from dagster_project.audit.release_folder import ReleaseFolder

# Code that does not shape a figure: it checks, describes or publishes. Seeds and corrections are compared as data.
NOT_OF_FIGURES = (
    "corrections/",
    *(f"dagster_project/defs/{name}.py" for name in ("checks", "lineage", "lock", "reasons", "release", "run_page")),
    *(f"dagster_project/{room}/" for room in ("audit", "identity", "lineage", "pages", "quality", "release")),
    "dbt_models/tests/",
)


def program_of(release: ReleaseFolder) -> dict[str, str]:
    """Digest of each file of code, version of each library and of Python, that figures depend on."""
    lock = release.lock
    files = {name: digest for name, digest in lock["files"].items() if not name.startswith(NOT_OF_FIGURES)}
    libraries = {f"library {name}": version for name, version in lock["libraries"].items()}
    return {**files, **libraries, "Python": lock["python"]}


def differing_program(old: ReleaseFolder, new: ReleaseFolder) -> list[str]:
    """Names of the files and libraries that are not the same in the two; empty when the program is one."""
    before, after = program_of(old), program_of(new)
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
