"""FastAPI: what its applications, routers and routes are called."""

from secai_lib.route_mapping.code import Code
from secai_lib.route_mapping.frameworks import Found
from secai_lib.route_mapping.python_routes import PythonReading, Words

_WORDS = Words(
    framework="fastapi",
    package="fastapi",
    app="FastAPI",
    router="APIRouter",
    prefix="prefix",
    mount="include_router",
    route="api_route",
    add="add_api_route",
    default_port=8000,
    overrides=False,
    first_wins=True,
    verbs=frozenset(["get", "post", "put", "delete", "patch", "head", "options", "trace"]),
)


class FastAPI:
    """The reader of FastAPI applications."""

    name = "fastapi"

    def read(self, code: Code) -> Found:
        """The FastAPI applications with their routes."""
        return PythonReading(code, _WORDS).found()
