"""`secai similar`: what is remembered that is like a text, a problem, a rule or an advisory."""

import atexit
import json
import os
import sys

import typer
from rich.console import Console
from rich.table import Table

from secai_assets.assets.fixes import Place, open_findings
from secai_assets.assets.problems import read_problems
from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_assets.resources.knowledge import PRODUCT, open_knowledge
from secai_assets.run import NO_MODELS, models_installed
from secai_lib.core.errors import MissingTool, UsageError
from secai_lib.core.knowledge import DocumentKind, Hit, Query


def print_similar(text: str, limit: int, kind: str, *, as_json: bool) -> None:
    """Print what the knowledge base finds for `text`, best first.

    Raises:
        UsageError: nothing is asked, the kind is unknown, or there is no knowledge base yet.
        MissingTool: the model packages are not installed.
        StorageError: the knowledge base cannot be used.
    """
    if not text.strip():
        raise UsageError("say what to look for: a text, a problem's id, a rule or a CVE")
    if kind and kind not in list(DocumentKind):
        raise UsageError(f"--kind {kind}: choose one of {', '.join(DocumentKind)}")
    if not models_installed():
        raise MissingTool(f"nothing can be searched: {NO_MODELS}")
    atexit.register(_end_quietly)
    house = House()
    if house.store.manifest(PRODUCT) is None:
        raise UsageError(
            "there is no knowledge base yet: make one with `secai demo` or `secai run`"
        )
    limit = limit or house.settings.knowledge.neighbours
    query, knowledge = _query(house, text.strip()), open_knowledge(house)
    (hits,) = knowledge.search([query], limit, DocumentKind(kind) if kind else None)
    if as_json:
        typer.echo(json.dumps([hit.model_dump(mode="json") for hit in hits], indent=2))
    else:
        _print(query, hits)


def _query(house: House, text: str) -> Query:
    """What looks for the neighbours of a problem where `text` is its id, else for `text`."""
    from secai_lib.rag import query_of

    problem = next((p for p in read_problems(house) if p.id == text.lower()), None)
    if problem is None:
        words = [word.strip("\"'`,;()") for word in text.lower().split()]
        return Query(text=text, keys=tuple(sorted({text.lower(), *words} - {""})))
    here = Place(problem.repository, problem.branch)
    mine = [p for p in read_problems(house) if Place(p.repository, p.branch) == here]
    return query_of(problem, open_findings(house, mine))


def _print(query: Query, hits: list[Hit]) -> None:
    out = Console(highlight=False)
    if query.exclude:
        out.print(f"Like problem {query.exclude}, itself left out:")
    table = Table("Score", "Kind", "What", "Place", "Problem", "Found by", box=None)
    for hit in hits:
        document = hit.document
        lanes = ", ".join(f"{lane} #{rank}" for lane, rank in sorted(hit.lanes.items()))
        place = document.metadata.get("path") or document.repository
        what = document.metadata.get("fix_kind") or document.metadata["severity"]
        table.add_row(
            f"{hit.score:.4f}",
            document.kind.value,
            f"{shown(document.title, 80)} [dim]({shown(what)})[/]",
            shown(place),
            document.group,
            lanes,
        )
    out.print(table if hits else "nothing is like it")


def _end_quietly() -> None:
    """Close standard error: all is said, but DuckDB's bindings would tell of leaks beside torch."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
