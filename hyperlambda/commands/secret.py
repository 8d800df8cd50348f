"""The secret that signs tokens: from a file, or from the environment."""

from __future__ import annotations

import os
from pathlib import Path

from .failures import CommandError

__all__ = ["SECRET_VARIABLE", "find_secret"]

SECRET_VARIABLE = "HYPERLAMBDA_SECRET"


def find_secret(file: str | None, configured: str | None = None) -> str | None:
    """
    Return the secret, or None if there is none.

    Args:
        file: Counts more than the environment. Blanks around the secret, such as the
            line end that editors write, do not belong to it.
        configured: What a configuration file says; counts less than the environment.

    Raises:
        CommandError: The file cannot be read, or is empty.
    """
    if file is None:
        return os.environ.get(SECRET_VARIABLE) or configured or None
    try:
        secret = Path(file).read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise CommandError(f"the secret in '{file}' is no UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(
            f"the secret file '{file}' cannot be read: {reason}"
        ) from None
    if not secret:
        raise CommandError(f"the secret file '{file}' is empty")
    return secret
