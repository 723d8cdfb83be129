"""Categories by rule, place and whole file names; look-alikes in paths decide nothing."""

import pytest

from secai_lib.core.finding import (
    ArchiveLocation,
    Category,
    Evidence,
    ImageLocation,
    Location,
    LockfileLocation,
    NoLocation,
    Package,
    Result,
    Severity,
    SourceLocation,
    UrlLocation,
)
from secai_lib.findings import category_of


def result(place: Location, **more: object) -> Result:
    fields: dict[str, object] = {
        "tool": "t",
        "rule_id": "r",
        "title": "T",
        "message": "M",
        "severity": Severity.LOW,
        "severity_origin": "tool",
        "locations": (place,),
        "evidence": Evidence(file="f", pointer=""),
    }
    return Result.model_validate({**fields, **more})


@pytest.mark.parametrize(
    ("path", "category"),
    [
        ("src/webauthn/Auth.kt", Category.CODE),
        ("api/secrets/docker/android/kubernetes.kt", Category.CODE),
        ("workflows/.github/build.yml", Category.CODE),
        (".github/workflows-old/build.yml", Category.CODE),
        ("docs/Dockerfiles.md", Category.CODE),
        ("dockerfile-lint/index.js", Category.CODE),
        (".github/workflows/build.yml", Category.INFRASTRUCTURE),
        ("infra/main.tf", Category.INFRASTRUCTURE),
        ("charts/Chart.yaml", Category.INFRASTRUCTURE),
        ("server/Dockerfile", Category.CONTAINER),
        ("Dockerfile.dev", Category.CONTAINER),
        ("web.dockerfile", Category.CONTAINER),
        ("docker-compose.yml", Category.CONTAINER),
        ("app/src/main/AndroidManifest.xml", Category.MOBILE),
        ("spec/openapi.yaml", Category.API),
        ("web/index.html", Category.WEB),
    ],
)
def test_by_file_name(path: str, category: Category) -> None:
    assert category_of(result(SourceLocation(path=path))) is category


@pytest.mark.parametrize(
    ("more", "category"),
    [
        ({"cwes": ("CWE-798",)}, Category.SECRET),
        ({"cwes": ("CWE-79",)}, Category.WEB),
        ({"cwes": ("CWE-926",)}, Category.MOBILE),
        ({"cwes": ("CWE-639",)}, Category.API),
        ({"cwes": ("CWE-285",)}, Category.CODE),
        ({"cwes": ("CWE-7980",)}, Category.CODE),
        ({"technologies": ("kubernetes",)}, Category.INFRASTRUCTURE),
        ({"technologies": ("dockerfile",)}, Category.CONTAINER),
        ({"technologies": ("webauthn",)}, Category.CODE),
    ],
)
def test_by_rule(more: dict[str, object], category: Category) -> None:
    assert category_of(result(SourceLocation(path="a.kt"), **more)) is category


def test_a_secret_in_a_dockerfile_is_a_secret() -> None:
    found = result(SourceLocation(path="Dockerfile"), technologies=("dockerfile", "secrets"))
    assert category_of(found) is Category.SECRET


def test_by_kind_of_place() -> None:
    held = Package(ecosystem="Maven", name="g:a", version="1")
    assert category_of(result(ImageLocation(image="x"), package=held)) is Category.CONTAINER
    assert category_of(result(ArchiveLocation(archive="a.jar"))) is Category.DEPENDENCY
    assert category_of(result(LockfileLocation(path="Dockerfile"))) is Category.DEPENDENCY
    assert category_of(result(NoLocation(reason="x"), package=held)) is Category.DEPENDENCY


def test_requests_are_web_unless_the_weakness_is_of_an_interface() -> None:
    url = UrlLocation(url="http://h/api/users")
    assert category_of(result(url, cwes=("CWE-693",))) is Category.WEB
    assert category_of(result(url, cwes=("CWE-942",))) is Category.API
    assert category_of(result(url, cwes=("CWE-285",))) is Category.API
    assert category_of(result(NoLocation(reason="x"), tool="zap")) is Category.WEB
