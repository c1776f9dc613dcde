"""A table in SQLite (WAL), or in PostgreSQL by URL; many processes may read and write at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Select, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from tinynas.errors import StoreError

_WAIT_S = 60.0  # for another process to finish writing
_CONNECT_S = 10
_KNOWN = ("sqlite", "postgresql")


class Database:
    """One table, made if it is not there.

    `url` is a SQLAlchemy URL ("sqlite:///runs/measurements.db", "postgresql://user:password@host/name") or the path
    of an SQLite file.
    """

    def __init__(self, url: str | Path, table: Table) -> None:
        self._table = table
        self._engine = _open(str(url) if "://" in str(url) else f"sqlite:///{url}")
        with self._errors():
            self._create_table()

    @property
    def name(self) -> str:
        """The URL, without its password."""
        return self._engine.url.render_as_string(hide_password=True)

    def rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """What `query` finds."""
        with self._errors(), self._engine.connect() as connection:
            return connection.execute(query).all()

    def insert(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Adds all `rows` or, where it fails, none; those whose key is there already stay as they are."""
        if rows:
            insert = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
            statement = insert(self._table).on_conflict_do_nothing()
            with self._errors(), self._engine.begin() as connection:
                connection.execute(statement, list(rows))

    def close(self) -> None:
        self._engine.dispose()

    def _create_table(self) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(CreateTable(self._table, if_not_exists=True))
        except IntegrityError:  # PostgreSQL: another process makes it at this very moment, and one of the two must lose
            with self._engine.begin() as connection:
                connection.execute(CreateTable(self._table, if_not_exists=True))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            reason = " ".join(str(getattr(error, "orig", error)).split())
            hint = "is it writable, with space left?" if self._engine.dialect.name == "sqlite" else "is the server up?"
            raise StoreError(f"measurement store {self.name}: {reason}; {hint}") from error


def _open(url: str) -> Engine:
    try:
        parsed = _with_driver(make_url(url))
        if parsed.get_backend_name() not in _KNOWN:
            raise ArgumentError(f"a {parsed.get_backend_name()} database; known are {' and '.join(_KNOWN)}")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args=_connect_args(parsed))
    except ModuleNotFoundError as error:
        hint = "pip install 'tinynas[postgres]'" if error.name == "psycopg" else "mend the URL"
        raise StoreError(f"measurement store: {error.name} is not installed; {hint}") from error
    except (ArgumentError, NoSuchModuleError, ImportError, OSError) as error:
        shown = _without_password(url)
        raise StoreError(f"measurement store {shown!r}: {error}; wanted an SQLAlchemy URL or a file name") from error
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    return engine


def _with_driver(url: URL) -> URL:
    """postgresql://... means the driver that our extra brings, whatever SQLAlchemy's own default is."""
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgresql", "postgres"} else url


def _connect_args(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite" or "connect_timeout" in url.query:
        return {}
    return {"connect_timeout": _CONNECT_S}  # else a server that drops packets holds us for minutes


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url


def _tune_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(_WAIT_S * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
