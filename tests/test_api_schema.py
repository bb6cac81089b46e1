"""The OpenAPI documents are true: schemathesis sends what they allow and what they forbid to a real server."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_api_features import write_town
from test_api_server import OPENER, environment, started

KEY = "a-key-of-the-schema-tests"
DOCUMENTS = {"whole": "/openapi.json", "ogc": "/ogc/api"}
#: No schema can say which moments, services, ids and places there are: for them what has the form that the document
#: allows may be refused with 400. Every other check has its usual meaning.
CONFIGURATION = """
[generation]
database = "none"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "429", "5xx"]
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVICECIRCLE_API_KEY", KEY)
        patch.setenv("SERVICECIRCLE_REQUESTS_PER_MINUTE", "0")
        patch.setenv("SERVICECIRCLE_BUDGET_S", "20")
        with started(write_town(tmp_path_factory.mktemp("town"))) as (_, found, _told):
            yield found


def document(address: str, name: str, folder: Path) -> Path:
    """The document as a file. `limit` beyond its largest is cut, as OGC API - Features has it, and not refused."""
    with OPENER.open(address + DOCUMENTS[name]) as answer:
        told = json.load(answer)
    for one in told.get("components", {}).get("parameters", {}).values():
        if one["name"] == "limit":
            del one["schema"]["maximum"]
    file = folder / "document.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    return file


EVERY = "examples,coverage,fuzzing,stateful"


@pytest.mark.parametrize(
    ("name", "key", "phases"),
    [("whole", KEY, EVERY), ("whole", None, "examples,fuzzing"), ("ogc", KEY, EVERY)],
    ids=["whole", "without-key", "ogc"],
)
def test_schemathesis_finds_nothing(address: str, name: str, key: str | None, phases: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not installed")
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, encoding="utf-8")
    base = address + ("/ogc" if name == "ogc" else "")
    command = ["run", str(document(address, name, tmp_path)), "--url", base, "--checks", "all", "--mode", "all"]
    command += ["--seed", "8", "--max-examples", "4", "--phases", phases, "--no-color"]
    command += ["--continue-on-failure", "--warnings", "off"]
    command += [] if key is None else ["--header", f"X-API-Key: {key}"]
    done = subprocess.run(
        [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", *command],
        cwd=tmp_path,
        env={**environment(), "no_proxy": "127.0.0.1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "generated" in done.stdout
