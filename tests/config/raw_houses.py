"""The presets as raw JSON data, to be changed by tests."""

from __future__ import annotations

import json
from typing import Any

from config import PRESETS


def raw_of(preset: str) -> dict[str, Any]:
    return json.loads(PRESETS[preset].read_text("utf-8"))
