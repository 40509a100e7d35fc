"""The files of deploy/ go with the gateway: every metric they name is one that it has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from momokit.gateway.metrics import Metrics

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RUNBOOK = DEPLOY.parent / "docs" / "how-to" / "alerts.md"
RULES = DEPLOY / "prometheus" / "rules.yml"
TESTS = sorted((DEPLOY / "prometheus").glob("rules*_test.yml"))
NAME = re.compile(r"\b(?:momo|http)_[a-z_]+")


def exported() -> set[str]:
    """Name every series that the gateway's registry can show."""
    names = set()
    for family in Metrics().registry.collect():
        endings = {
            "counter": ("_total",),
            "histogram": ("_bucket", "_count", "_sum"),
        }.get(family.type, ("",))
        names |= {family.name + ending for ending in endings}
    return names


def expressions() -> dict[str, str]:
    """Give each panel's and each alert's question to Prometheus."""
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    rules = yaml.safe_load(RULES.read_text())
    panels = {one["title"]: one["targets"][0]["expr"] for one in dashboard["panels"]}
    alerts = {one["alert"]: one["expr"] for group in rules["groups"] for one in group["rules"]}
    return panels | alerts


@pytest.mark.parametrize("title", sorted(expressions()))
def test_every_metric_named_exists(title: str) -> None:
    """A panel or an alert about a metric that is not there would be silent for ever."""
    named = set(NAME.findall(expressions()[title]))

    assert named != set()
    assert named - exported() == set()


def test_the_alerts_ring_when_they_should() -> None:
    """Prometheus' own tool plays the rules through."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on this machine")
    ran = subprocess.run(
        [promtool, "test", "rules", *map(str, TESTS)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_is_played_through_and_has_a_runbook() -> None:
    """Each rings in one test and is silent in another, and a page says what to do about it."""
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    cases = [case for path in TESTS for case in yaml.safe_load(path.read_text())["tests"]]
    played: dict[str, set[bool]] = {}
    for case in cases:
        for one in case["alert_rule_test"]:
            played.setdefault(one["alertname"], set()).add(bool(one["exp_alerts"]))
    sections = RUNBOOK.read_text().splitlines()

    assert played == {rule["alert"]: {True, False} for rule in rules}
    assert [r["alert"] for r in rules if f"## {r['alert']}" not in sections] == []
    assert {r["annotations"]["runbook"] for r in rules} == {
        f"docs/how-to/alerts.md#{r['alert'].lower()}" for r in rules
    }
