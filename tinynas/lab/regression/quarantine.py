"""The list of cases that are known to be bad, each with its reason, so that they hide nothing and are not forgotten."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tinynas.errors import ConfigError


class Known(BaseModel, frozen=True, extra="forbid"):
    """Cases that are known to be bad."""

    case: Annotated[str, Field(min_length=1)]  # id or pattern: vww@nucleo-*/engine
    reason: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class Quarantine:
    """All known ones."""

    known: Sequence[Known] = ()

    @classmethod
    def read(cls, path: Path) -> Quarantine:
        """The list in the YAML file at `path`: `- case: ...`, `reason: ...`.

        Raises:
            ConfigError: missing or malformed; an entry without a reason is.
        """
        try:
            rows = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
            return cls(tuple(TypeAdapter(list[Known]).validate_python(rows or [])))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{path}: {where}: {first['msg']}; wanted entries with `case` and `reason`") from error
        except (OSError, UnicodeDecodeError, YAMLError) as error:
            reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
            raise ConfigError(f"{path}: quarantine list: {reason}") from error

    def reason(self, case: str) -> str | None:
        """Why the case with this id is in quarantine; None if it is not."""
        return next((known.reason for known in self.known if fnmatch.fnmatchcase(case, known.case)), None)
