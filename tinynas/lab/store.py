"""The measurement store: what was measured once is never measured again. SQLite, or PostgreSQL by URL."""

from __future__ import annotations

import datetime
from dataclasses import astuple, dataclass
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Column, DateTime, MetaData, String, Table, Text, select

from tinynas.errors import StoreError
from tinynas.lab.database import Database
from tinynas.lab.measure import Measurement

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
    firmware_hash: str  # of firmware, planner and code generator


class MeasurementStore:
    """Measurements by key; many processes may read and write at once.

    `url` is a SQLAlchemy URL ("sqlite:///runs/measurements.db", "postgresql://...") or the path of an SQLite file.
    """

    def __init__(self, url: str | Path) -> None:
        self._database = Database(url, _TABLE)

    def get(self, key: MeasurementKey) -> Measurement | None:
        """The measurement under `key`, or None."""
        query = select(_TABLE.c.measurement).where(*(_TABLE.c[name] == value for name, value in _fields(key).items()))
        found = self._database.rows(query)
        try:
            return Measurement.model_validate_json(found[0][0]) if found else None
        except ValidationError as error:
            raise StoreError(
                f"{self._database.name}: not a measurement under {key}: {error}; delete that row"
            ) from error

    def put(self, key: MeasurementKey, measurement: Measurement) -> None:
        """Stores `measurement`; the first one under a key stays."""
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        row = {**_fields(key), "measured_at": now, "measurement": measurement.model_dump_json()}
        self._database.insert([row])

    def close(self) -> None:
        self._database.close()


def _fields(key: MeasurementKey) -> dict[str, str]:
    return dict(zip(_KEY, astuple(key), strict=True))
