"""Flask: what its applications, routers and routes are called."""

from secai_lib.route_mapping.code import Code
from secai_lib.route_mapping.frameworks import Found
from secai_lib.route_mapping.python_routes import PythonReading, Words

_WORDS = Words(
    framework="flask",
    package="flask",
    app="Flask",
    router="Blueprint",
    prefix="url_prefix",
    mount="register_blueprint",
    route="route",
    add="add_url_rule",
    default_port=5000,
    overrides=True,
    first_wins=False,
)


class Flask:
    """The reader of Flask applications."""

    name = "flask"

    def read(self, code: Code) -> Found:
        """The Flask applications with their routes."""
        return PythonReading(code, _WORDS).found()
