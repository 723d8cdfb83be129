"""Which part of a product a finding is about.

Decided by what the rule says of itself (technologies, CWE, check family), then by the kind of
place, then by whole file names; never by a piece of a path, where `auth` stands in `webauthn`.
The first row that fits decides.
"""

import posixpath
from collections.abc import Callable

from secai_lib.core.finding import (
    ArchiveLocation,
    Category,
    ImageLocation,
    LockfileLocation,
    Result,
    UrlLocation,
)

SECRET_CWES = {259, 312, 321, 522, 540, 798}
"""Hard-coded or exposed passwords, keys and credentials."""
MOBILE_CWES = {919, 921, 925, 926, 927, 939, 940}
"""CWE-919 `Weaknesses in Mobile Applications` and the Android ones beside it."""
API_CWES = {639, 915, 942}
"""Object-level authorisation, mass assignment, cross-origin policy: always about an interface."""
REQUEST_CWES = API_CWES | {285, 306, 307, 770, 799, 862, 863}
"""The rest of the OWASP API Security Top 10 (2023): missing authorisation, authentication and
limits. In source code they may sit anywhere, in an answered request they are the interface's."""
WEB_CWES = {79, 80, 113, 352, 353, 601, 614, 644, 693, 1004, 1021, 1275}
"""What a browser is made to do: scripts, headers, cookies, frames, redirects, forged requests."""

DYNAMIC_SCANNERS = {"nuclei", "zap"}
"""They only ever look at a running service, also when they name no request."""

SECRET_TECHNOLOGIES = {"secret", "secrets"}
MOBILE_TECHNOLOGIES = {"android", "ios", "flutter", "react-native", "mobile"}
CONTAINER_TECHNOLOGIES = {"docker", "dockerfile", "docker-compose", "compose", "container"}
INFRASTRUCTURE_TECHNOLOGIES = {
    "ansible", "argo", "aws", "azure", "azure-arm", "azure_pipelines", "bicep", "ci",
    "circleci_pipelines", "cloudformation", "gcp", "github-actions", "github_actions",
    "github_configuration", "gitlab_ci", "helm", "kubernetes", "kustomize", "nginx", "serverless",
    "terraform", "terraform_plan",
}  # fmt: skip
API_TECHNOLOGIES = {"api", "rest", "graphql", "grpc", "openapi", "swagger"}
WEB_TECHNOLOGIES = {"browser", "html"}

MOBILE_FILES = {"androidmanifest.xml", "info.plist"}
CONTAINER_FILES = {
    "dockerfile", "containerfile", "docker-compose.yml", "docker-compose.yaml", "compose.yml",
    "compose.yaml",
}  # fmt: skip
INFRASTRUCTURE_FILES = {
    ".gitlab-ci.yml", "action.yml", "action.yaml", "azure-pipelines.yml", "chart.yaml",
    "jenkinsfile", "kustomization.yaml", "kustomization.yml", "serverless.yml",
}  # fmt: skip
INFRASTRUCTURE_ENDINGS = {".tf", ".tfvars", ".hcl", ".bicep"}
API_FILES = {"openapi.yaml", "openapi.yml", "openapi.json", "swagger.yaml", "swagger.json"}
WEB_ENDINGS = {".html", ".htm"}


def category_of(result: Result) -> Category:
    """The part of the product `result` is about; code when nothing says otherwise."""
    return next((category for category, fits in _ROWS if fits(result)), Category.CODE)


def _technologies(result: Result, table: set[str]) -> bool:
    return not table.isdisjoint(result.technologies)


def _cwes(result: Result, table: set[int]) -> bool:
    numbers = {cwe.rpartition("-")[2] for cwe in result.cwes}
    return not numbers.isdisjoint(map(str, table))


def _name(result: Result) -> str:
    return posixpath.basename(result.path or "").lower()


def _ending(result: Result) -> str:
    return posixpath.splitext(_name(result))[1]


def _is_secret(result: Result) -> bool:
    return _technologies(result, SECRET_TECHNOLOGIES) or _cwes(result, SECRET_CWES)


def _is_image(result: Result) -> bool:
    return isinstance(result.location, ImageLocation)


def _is_dependency(result: Result) -> bool:
    place = isinstance(result.location, LockfileLocation | ArchiveLocation)
    return place or result.package is not None


def _is_mobile(result: Result) -> bool:
    rule = _technologies(result, MOBILE_TECHNOLOGIES) or _cwes(result, MOBILE_CWES)
    return rule or _name(result) in MOBILE_FILES


def _is_api_request(result: Result) -> bool:
    return _is_request(result) and (_is_api(result) or _cwes(result, REQUEST_CWES))


def _is_request(result: Result) -> bool:
    return isinstance(result.location, UrlLocation) or result.tool in DYNAMIC_SCANNERS


def _is_container(result: Result) -> bool:
    name = _name(result)
    file = name in CONTAINER_FILES or "dockerfile" in {name.split(".")[0], _ending(result)[1:]}
    return _technologies(result, CONTAINER_TECHNOLOGIES) or file


def _is_infrastructure(result: Result) -> bool:
    folders = tuple((result.path or "").split("/")[:2])
    file = _name(result) in INFRASTRUCTURE_FILES or _ending(result) in INFRASTRUCTURE_ENDINGS
    workflow = folders == (".github", "workflows")
    return _technologies(result, INFRASTRUCTURE_TECHNOLOGIES) or file or workflow


def _is_api(result: Result) -> bool:
    rule = _technologies(result, API_TECHNOLOGIES) or _cwes(result, API_CWES)
    return rule or _name(result) in API_FILES


def _is_web(result: Result) -> bool:
    rule = _technologies(result, WEB_TECHNOLOGIES) or _cwes(result, WEB_CWES)
    return rule or _ending(result) in WEB_ENDINGS


_ROWS: tuple[tuple[Category, Callable[[Result], bool]], ...] = (
    (Category.SECRET, _is_secret),
    (Category.CONTAINER, _is_image),
    (Category.DEPENDENCY, _is_dependency),
    (Category.API, _is_api_request),
    (Category.WEB, _is_request),
    (Category.MOBILE, _is_mobile),
    (Category.CONTAINER, _is_container),
    (Category.INFRASTRUCTURE, _is_infrastructure),
    (Category.API, _is_api),
    (Category.WEB, _is_web),
)
