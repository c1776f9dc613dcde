"""The measurement store: what was measured once is never measured again. SQLite (WAL), or any SQLAlchemy URL."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Column, DateTime, MetaData, String, Table, Text, create_engine, event, select
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from tinynas.errors import StoreError
from tinynas.lab.measure import Measurement

_WAIT_S = 60.0  # for another process to finish writing
_KEY = ("model_sha256", "board", "runtime", "toolchain", "firmware_hash")
_TABLE = Table(
    "measurements",
    MetaData(),
    *(Column(name, String(200), primary_key=True) for name in _KEY),
    Column("measured_at", DateTime, nullable=False),  # UTC
    Column("measurement", Text, nullable=False),  # JSON of `Measurement`
)


@dataclass(frozen=True)
class MeasurementKey:
    """What a measurement depends on."""

    model_sha256: str
    board: str
    runtime: str
    toolchain: str
    firmware_hash: str


class MeasurementStore:
    """Measurements by key; many processes may read and write at once.

    `url` is a SQLAlchemy URL ("sqlite:///runs/measurements.db") or the path of an SQLite file.
    """

    def __init__(self, url: str | Path) -> None:
        self._engine = _open(str(url) if "://" in str(url) else f"sqlite:///{url}")
        with self._errors():
            _create_table(self._engine)

    def get(self, key: MeasurementKey) -> Measurement | None:
        """The measurement under `key`, or None."""
        query = select(_TABLE.c.measurement).where(*(_TABLE.c[name] == value for name, value in _fields(key).items()))
        with self._errors(), self._engine.connect() as connection:
            found = connection.execute(query).scalar_one_or_none()
        try:
            return None if found is None else Measurement.model_validate_json(found)
        except ValidationError as error:
            raise StoreError(f"{self._engine.url}: not a measurement under {key}: {error}; delete that row") from error

    def put(self, key: MeasurementKey, measurement: Measurement) -> None:
        """Stores `measurement`; the first one under a key stays."""
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        row = {**_fields(key), "measured_at": now, "measurement": measurement.model_dump_json()}
        with self._errors():
            try:
                with self._engine.begin() as connection:
                    connection.execute(_TABLE.insert().values(**row))
            except IntegrityError:
                pass  # measured twice at the same time: both are the same

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", error))
            raise StoreError(
                f"measurement store {self._engine.url}: {reason}; is it writable, with space left?"
            ) from error


def _fields(key: MeasurementKey) -> dict[str, str]:
    return dict(zip(_KEY, astuple(key), strict=True))


def _open(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ImportError, OSError) as error:
        raise StoreError(f"measurement store {url!r}: {error}; wanted an SQLAlchemy URL or a file name") from error
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    return engine


def _tune_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(_WAIT_S * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _create_table(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(CreateTable(_TABLE, if_not_exists=True))
