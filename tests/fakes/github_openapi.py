"""GitHub's own description of the operations we use, so that the stand-in is not our opinion.

`python -m tests.fakes.github_openapi octokit-openapi-VERSION.tgz` cuts them anew out of the npm
package `@octokit/openapi` (`npm pack @octokit/openapi` fetches it).
"""

import hashlib
import json
import re
import sys
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

FILE = Path(__file__).with_name("github_operations.json")
PATHS = (
    "/repos/{owner}/{repo}/actions/runs",
    "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
    "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
    "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts",
    "/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}",
)
_PROSE = frozenset({"description", "example", "examples", "title"})


def described(path: str) -> dict[str, Any] | None:
    """GitHub's description of GET `path` (below the API's root), or None when it has none."""
    for template, operation in _operations().items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            return dict(operation)
    return None


def request_problems(path: str, query: dict[str, str]) -> list[str]:
    """What GitHub does not know about the request: the path, a parameter, or its value."""
    operation = described(path)
    if operation is None:
        return [f"no such operation: {path}"]
    known = {p["name"]: p["schema"] for p in operation["parameters"] if p["in"] == "query"}
    problems = [f"unknown parameter: {name}" for name in query if name not in known]
    for name in sorted(set(query) & set(known)):
        # its prose says that `created` takes a range; its schema says a moment
        schema = {k: v for k, v in known[name].items() if k != "format"}
        value = _typed(query[name], schema.get("type", "string"))
        problems += [
            f"{name}: {e.message}" for e in Draft202012Validator(schema).iter_errors(value)
        ]
    return problems


def answer_problems(path: str, status: int, body: bytes) -> list[str]:
    """What of the answer is not as GitHub describes it; 304 and 404 stand in its general part."""
    operation = described(path)
    if operation is None or status in (304, 401, 404):
        return []
    described_answer = operation["responses"].get(str(status))
    if described_answer is None:
        return [f"{path} never answers with {status}"]
    schema = described_answer.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return []
    checker = Draft202012Validator(_plain(schema), format_checker=FormatChecker())
    return [f"{e.json_path}: {e.message[:200]}" for e in checker.iter_errors(json.loads(body))]


def required(path: str, *steps: str) -> Any:
    """The least that GitHub's answer to GET `path` (as in PATHS) holds at `steps`; `*` is an item.

    Values are empty ones of the right kind, so that a stand-in fills in only what matters to it.
    """
    schema = _operations()[path]["responses"]["200"]["content"]["application/json"]["schema"]
    for step in steps:
        schema = schema["items"] if step == "*" else schema["properties"][step]
    return _least(schema)


def _least(schema: dict[str, Any]) -> Any:
    if schema.get("nullable"):
        return None
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            return _least(schema[choice][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object" or "properties" in schema:
        return {name: _least(schema["properties"][name]) for name in schema.get("required", ())}
    if schema.get("format") == "date-time":
        return "2025-01-01T00:00:00Z"
    return {"array": [], "integer": 0, "number": 0, "boolean": False}.get(
        schema.get("type", ""), ""
    )


def _typed(text: str, kind: str) -> object:
    if kind == "integer" and text.isdecimal():
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _plain(schema: Any) -> Any:
    """`schema` with OpenAPI 3.0's `nullable` as JSON Schema says it."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@cache
def _operations() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text("utf-8"))["operations"])


def _without_prose(value: Any, *, names: bool = False) -> Any:
    """`value` without texts for people; below `properties` every key is a name."""
    if isinstance(value, list):
        return [_without_prose(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_prose(one, names=key == "properties" and not names)
        for key, one in value.items()
        if names or key not in _PROSE
    }


def extract(package: Path) -> dict[str, Any]:
    """The operations of PATHS in the npm `package`, with where they come from."""
    with tarfile.open(package) as archive:

        def member(name: str) -> Any:
            handle = archive.extractfile(f"package/{name}")
            assert handle
            return json.load(handle)

        about, api = member("package.json"), member("generated/api.github.com.deref.json")
    return {
        "source": {
            "package": about["name"],
            "version": about["version"],
            "licence": about["license"],
            "sha256": hashlib.sha256(package.read_bytes()).hexdigest(),
            "file": "generated/api.github.com.deref.json",
        },
        "operations": {
            path: {
                part: _without_prose(api["paths"][path]["get"][part])
                for part in ("parameters", "responses")
            }
            for path in PATHS
        },
    }


if __name__ == "__main__":
    text = json.dumps(extract(Path(sys.argv[1])), sort_keys=True, separators=(",", ":"))
    FILE.write_text(text + "\n", "utf-8")
