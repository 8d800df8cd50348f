"""What slots find in the configuration, by the names that the reference has for it."""

from __future__ import annotations

from typing import Any

from hyperlambda import Evaluator

__all__ = ["setting"]


def setting(evaluator: Evaluator, key: str, default: Any) -> Any:
    """Return a setting, whose name may have any case there; the key is in small letters."""
    for name, value in evaluator.config.items():
        if name.lower() == key:
            return value
    return default
