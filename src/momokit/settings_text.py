"""Settings files as text: read whole, and lines NAME=value understood. For client and gateway."""

from __future__ import annotations

from pathlib import Path

from momokit.errors import ConfigurationError


def read_settings_text(path: Path) -> str:
    """Read a settings file as text; raises ConfigurationError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The settings file {path} cannot be read: {type(error).__name__}.", field="path"
        ) from None


def read_env_lines(text: str) -> dict[str, str]:
    """Read lines NAME=value, as `momo sandbox provision` writes them; `export`, quotes and # are
    understood."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip().removeprefix("export ").strip()
        if not line or line.startswith("#") or "=" not in line:
            continue
        name, _, value = line.partition("=")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip()] = value
    return found
