"""Dagster's SQLite event log, with its connections kept.

The stock storage makes an engine, and compiles every statement anew, for each of the five or so connections that one
event takes; a run writes some nine hundred events, and spent a fifth of its time there. Kept engines write the same
rows in the same files. `dagster.yaml` names this class; PostgreSQL storage replaces it where several machines run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# Dagster's own documentation names this class in `dagster.yaml`: it is configuration, not an inner part.
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event

BUSY_TIMEOUT_S = 30
SHARDS_KEPT = 8


class KeptSqliteEventLogStorage(SqliteEventLogStorage):
    """Same files, same rows; one engine per database for as long as the process writes to it."""

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

    def dispose(self) -> None:
        """Close what was kept."""
        for engine in self.__dict__.pop("_kept_engines", {}).values():
            engine.dispose()
        super().dispose()


def _quick_commits(connection: object, _: object) -> None:
    """In WAL mode NORMAL cannot corrupt the log; a power cut may lose its last events, which the next run tells."""
    connection.execute("PRAGMA synchronous=NORMAL")  # type: ignore[attr-defined]
