"""Progress of a run on the terminal: a line per step, and the reason of a failure; Dagster keeps the rest."""

import logging
import sys

import dagster as dg

STARTED = "STEP_START"
MARKS = {"STEP_SUCCESS": "✓", "STEP_FAILURE": "✗", "STEP_SKIPPED": "–", "STEP_UP_FOR_RETRY": "↻"}


class ProgressHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Shows step events; everything else is in the event log and the UI."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line for an event of interest."""
        meta = getattr(record, "dagster_meta", None) or {}
        event = meta.get("dagster_event")
        kind = getattr(event, "event_type_value", None)
        step = meta.get("step_key")
        if kind in MARKS:
            self.stream.write(f"  {MARKS[kind]} {step}\n")
        elif kind == STARTED and step == "dbt_models":
            self.stream.write("  … dbt_models (une dizaine de secondes)\n")
        self.flush()


@dg.logger({}, description="Une ligne par étape, pour le terminal.")
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """The logger that `dq run` selects."""
    logger = logging.Logger("dq", logging.DEBUG)
    logger.addHandler(ProgressHandler(sys.stderr))
    return logger
