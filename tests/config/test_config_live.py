"""A reload that fails keeps the last good configuration; a good one replaces it whole."""

from __future__ import annotations

import json

import pytest

from config import ConfigError, LiveConfig, LoadedConfig


def test_a_broken_reload_keeps_the_last_good_and_tells_the_problems(write):
    path = write(lambda raw: raw["battery"].update(capacity_kwh=11.0), "house6-climate")
    live = LiveConfig(path, env={})
    good = live.current
    path.write_text("{", "utf-8")
    problems = live.reload()
    assert isinstance(problems, tuple)
    assert "is no valid JSON" in str(problems[0])
    assert live.problems == problems
    assert live.current is good
    assert live.current.system.battery.capacity_kwh == 11.0


def test_a_mended_file_is_taken_and_the_problems_are_gone(write):
    path = write(lambda raw: None, "house6-climate")
    text = path.read_text("utf-8")
    live = LiveConfig(path, env={}, overrides=["battery.wear_per_kwh=0.5"])
    path.write_text("", "utf-8")
    live.reload()
    raw = json.loads(text)
    raw["battery"]["capacity_kwh"] = 12.0
    path.write_text(json.dumps(raw), "utf-8")
    after = live.reload()
    assert isinstance(after, LoadedConfig)
    assert after is live.current
    assert live.problems == ()
    assert after.system.battery.capacity_kwh == 12.0
    assert after.system.battery.wear_per_kwh == 0.5


def test_a_deleted_file_keeps_the_last_good(write):
    path = write(lambda raw: None, "flat3")
    live = LiveConfig(path, env={})
    path.unlink()
    assert isinstance(live.reload(), tuple)
    assert len(live.current.system.rooms) == 3


def test_a_first_load_that_fails_never_starts(write):
    with pytest.raises(ConfigError):
        LiveConfig(write("{}"), env={})
