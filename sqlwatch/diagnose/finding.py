"""What is wrong, who, since when, how we know, and what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Severity(StrEnum):
    """Critical and warning make `why` exit 1; info is listed with `--all`."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, with its evidence and a remedy that a newcomer can act on."""

    code: str
    severity: Severity
    summary: str
    pid: int | None
    since_s: float | None
    """How long it has been so, in seconds, as far as was seen; None if unknown."""
    evidence: dict[str, Any]
    remedy: str
