"""Where a finding is, in the words of a prompt and of an answer."""

from urllib.parse import urlsplit

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    LockfileLocation,
    NoLocation,
    Result,
    SourceLocation,
    UrlLocation,
)


def place_of(result: Result, context: CodeContext | None) -> dict[str, str]:
    """Name -> value of the lines of a prompt that say where the finding is."""
    place = result.location
    facts: dict[str, str] = {}
    if isinstance(place, SourceLocation | LockfileLocation):
        facts["File"] = f"{place.path}:{place.start_line}" if place.start_line else place.path
    elif isinstance(place, ImageLocation):
        facts["Image"] = place.target or place.image
    elif isinstance(place, ArchiveLocation):
        facts["Archive"] = place.archive
    elif isinstance(place, UrlLocation):
        facts["Request"] = f"{place.method} {urlsplit(place.url).path or '/'}"
    if context and context.function and context.function.name:
        facts["In"] = f"{context.function.kind} {context.function.name}"
    if context and context.route and not context.route.reason:
        facts["Handler"] = f"{context.route.method} {context.route.pattern} in {context.route.path}"
    return facts


def subject_of(result: Result, context: CodeContext | None) -> str:
    """What the weakness is in, for the middle of a sentence."""
    if package := result.package:
        return f"{package.name} {package.version}"
    if context and context.function and context.function.name and result.path:
        place = f"{context.function.kind} {context.function.name} of {result.path}"
        return f"line {result.line} in {place}" if result.line else place
    if result.path:
        return f"line {result.line} of {result.path}" if result.line else result.path
    named = place_of(result, None)
    return next(iter(named.values()), "the product")


def exposure_of(result: Result, *, mapped: bool) -> str:
    """How the place can be reached, a sentence; `mapped`: a handler stands behind its URL."""
    if mapped:
        return "Its handler answers requests, so it can be reached over the network."
    kinds = {
        UrlLocation: "It was seen in an answer of the running service.",
        ImageLocation: "It is part of the image, so every container started from it has it.",
        ArchiveLocation: "It is packed into a built archive, so it ships with the product.",
        LockfileLocation: "It comes in with the build, directly or through another package.",
        SourceLocation: "It is in the repository, so every build and copy has it.",
        NoLocation: "The scanner names no place, so the whole product may be concerned.",
    }
    return kinds[type(result.location)]
