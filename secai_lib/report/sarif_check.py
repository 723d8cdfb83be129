"""Whether a SARIF document obeys the specification's own schema.

The schema is `sarif-2.1.0-rtm.5.json` of the SARIF technical committee, as the npm package
`@microsoft/jest-sarif` ships it (MIT).
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent / "schema" / "sarif-2.1.0-rtm.5.json"


def sarif_problems(document: object) -> list[str]:
    """What is wrong with `document`, each `place: reason`; empty when it is valid."""
    errors = sorted(_validator().iter_errors(document), key=lambda error: error.json_path)
    return [f"{error.json_path}: {error.message[:200]}" for error in errors]


@cache
def _validator() -> Any:
    from jsonschema import Draft4Validator  # 0.2 s

    return Draft4Validator(json.loads(SCHEMA.read_text("utf-8")))
