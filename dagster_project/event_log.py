"""Dagster's SQLite event log, with its connections kept.

The stock storage makes an engine, and compiles every statement anew, for each of the five or so connections that one
event takes: 16 s of CPU for the 2,700 events of a run of the demonstration, 4 s here. Kept engines write the same rows
in the same files. `dagster.yaml` names this class; PostgreSQL storage replaces it where several machines run.

It overrides inner parts of Dagster, and tests say so when these move: once already Dagster came to make its own class
whatever `dagster.yaml` named, and nothing but the time of a run told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

# Dagster's own documentation names this class in `dagster.yaml`: it is configuration, not an inner part.
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event

BUSY_TIMEOUT_S = 30
SHARDS_KEPT = 8


class KeptSqliteEventLogStorage(SqliteEventLogStorage):
    """Same files, same rows; one engine per database for as long as the process writes to it."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Self:
        """This class, where the stock one names itself."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _engine(self, shard: str) -> Engine:
        engines: dict[str, Engine] = self.__dict__.setdefault("_kept_engines", {})
        if shard not in engines:
            while len(engines) >= SHARDS_KEPT:
                engines.pop(next(iter(engines))).dispose()
            engine = create_engine(self.conn_string_for_shard(shard), connect_args={"timeout": BUSY_TIMEOUT_S})
            event.listen(engine, "connect", _quick_commits)
            engines[shard] = engine
        return engines[shard]

    def has_table(self, table_name: str) -> bool:
        """Asked for each event that has tags; a table that stands stays."""
        standing: set[str] = self.__dict__.setdefault("_standing", set())
        if table_name not in standing and super().has_table(table_name):
            standing.add(table_name)
        return table_name in standing

    def dispose(self) -> None:
        """Close what was kept."""
        for engine in self.__dict__.pop("_kept_engines", {}).values():
            engine.dispose()
        super().dispose()


def _quick_commits(connection: object, _: object) -> None:
    """In WAL mode NORMAL cannot corrupt the log; a power cut may lose its last events, which the next run tells."""
    connection.execute("PRAGMA synchronous=NORMAL")  # type: ignore[attr-defined]
