"""The subcommands and their options; each body imports what it needs, so that --help is quick."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="secai",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="From security scans to proven fixes and a model of your own. Exit codes: 0 done, 1 "
    "something is broken or not proven, 2 wrong usage or settings, 3 no readable repository, 4 a "
    "scanner is missing or failed, 5 the disk refused, 6 expired, 7 a gate refused, 75 try again "
    "later.",
)

Repo = Annotated[str, typer.Argument(help="Folder of a git checkout, or `demo` for the sample.")]
Until = Annotated[
    str, typer.Option(help="Asset to make, with all it is made of; `all` for everything.")
]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="Ask the model again about what it has read before.")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@app.command()
def demo(
    repo: Annotated[
        str, typer.Option("--repo", help="Your own checkout instead of the sample.")
    ] = "demo",
    until: Until = "all",
    refresh: Refresh = False,
) -> None:
    """Run the whole flow on the bundled sample repository and explain what came out."""
    from secai_assets.cli.flow import run_repositories

    run_repositories([repo or "demo"], until=until, refresh=refresh, explain=True)


@app.command()
def run(
    repos: Annotated[
        list[str] | None,
        typer.Argument(help="Checkouts; by default those of config/platform.yaml and GitHub."),
    ] = None,
    until: Until = "report",
    refresh: Refresh = False,
    as_json: Json = False,
) -> None:
    """Scan, find, prove and report, for checkouts and configured GitHub repositories."""
    from secai_assets.cli.flow import run_configured, run_repositories

    if repos:
        run_repositories(repos, until=until, refresh=refresh, as_json=as_json)
    else:
        run_configured(until=until, refresh=refresh, as_json=as_json)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address; the UI has no login.")] = "127.0.0.1",
) -> None:
    """Start the Dagster UI and its daemon on our instance (`dagster dev`)."""
    from secai_assets.cli.server import serve

    serve(host, port)


@app.command()
def scan(repo: Repo = ".", as_json: Json = False) -> None:
    """Scan the checked-out commit with the scanners installed here and list the findings."""
    from secai_assets.cli.flow import scan_repository

    scan_repository(repo, as_json=as_json)


@app.command()
def ingest(
    path: Annotated[Path, typer.Argument(help="A report, a folder of reports, or a zip.")],
    repository: Annotated[str, typer.Option(help="owner/name they are about.")] = "",
    commit: Annotated[str, typer.Option(help="Scanned commit, where known.")] = "",
    branch: Annotated[str, typer.Option(help="Scanned branch, where known.")] = "",
    until: Until = "report",
    as_json: Json = False,
) -> None:
    """Take reports that CI made (a folder as `gh run download` writes it) as a scan run."""
    from secai_assets.cli.flow import ingest_reports

    ingest_reports(path, repository, commit, branch, until=until, as_json=as_json)


Day = typer.Option(formats=["%Y-%m-%d"], help="Day of the runs' first start (UTC), YYYY-MM-DD.")


@app.command()
def backfill(
    repository: Annotated[str, typer.Argument(help="owner/name on GitHub.")],
    since: Annotated[datetime, Day],
    end: Annotated[datetime | None, Day] = None,
    workflow: Annotated[
        list[str] | None, typer.Option(help="File name of a workflow; may be repeated.")
    ] = None,
    until: Until = "report",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be ingested, and take nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ingest old workflow runs of a GitHub repository; started again, it goes on."""
    from secai_assets.cli.backfill import backfill_repository

    backfill_repository(
        repository, since, end, workflow or (), until=until, dry_run=dry_run, as_json=as_json
    )


@app.command()
def context(
    repo: Repo = ".",
    findings: Annotated[
        Path | None, typer.Option("--findings", help="A report, a folder of them or a zip.")
    ] = None,
    commit: Annotated[str, typer.Option(help="The scanned commit; default: HEAD.")] = "",
    output_format: Annotated[str, typer.Option("--format", help="jsonl or table.")] = "table",
) -> None:
    """Print the code and the package use behind each finding of reports, at a commit."""
    from secai_assets.cli.context import print_contexts

    raise typer.Exit(print_contexts(repo, findings, commit, output_format))


@app.command()
def parse(
    paths: Annotated[list[Path], typer.Argument(help="Reports, folders or zips.")],
    output_format: Annotated[str, typer.Option("--format", help="jsonl or table.")] = "table",
    distinct: Annotated[bool, typer.Option("--distinct", help="Fold duplicates.")] = False,
) -> None:
    """Print what reports say, one line per raw result; what was skipped goes to standard error."""
    from secai_assets.cli.parse import parse_paths

    raise typer.Exit(parse_paths(paths, output_format, distinct=distinct))


@app.command()
def schema(
    table: Annotated[str, typer.Argument(help="A table or view; all when left out.")] = "",
    as_json: Json = False,
) -> None:
    """Say what the tables of the warehouse and their columns mean."""
    from secai_assets.cli.sql import print_schema

    print_schema(table, as_json=as_json)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A query in DuckDB's SQL; `secai schema` helps.")],
    output_format: Annotated[
        str, typer.Option("--format", help="table, jsonl or parquet.")
    ] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here.")] = None,
) -> None:
    """Ask the warehouse: findings, problems, their history; nothing can be changed."""
    from secai_assets.cli.sql import print_answer

    print_answer(query, output_format, output)


@app.command()
def routes(
    repo: Repo = ".",
    output_format: Annotated[str, typer.Option("--format", help="jsonl or table.")] = "table",
) -> None:
    """Print the HTTP routes of a checkout's commit; what was not read goes to standard error."""
    from secai_assets.cli.routes import print_routes

    print_routes(repo, output_format)


@app.command("map-url")
def map_url(
    urls: Annotated[Path, typer.Option("--urls", help="File with one `METHOD URL` per line.")],
    repo: Repo = ".",
    output_format: Annotated[str, typer.Option("--format", help="jsonl or table.")] = "table",
) -> None:
    """Say which handler answers each URL, in order, or why none does."""
    from secai_assets.cli.routes import print_mapped

    print_mapped(repo, urls, output_format)


@app.command()
def fix(
    repo: Repo = ".",
    output_format: Annotated[
        str, typer.Option("--format", help="patch, comment, sarif or json.")
    ] = "patch",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here.")] = None,
    fail_on: Annotated[
        str, typer.Option(help="Exit 7 when an open problem is this bad or worse.")
    ] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="--fail-on counts what triage shows apart, too.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Apply the patch to the checkout.")
    ] = False,
) -> None:
    """Print a patch of proven fixes for a checkout; progress goes to standard error."""
    from secai_assets.cli.fix import fix_repository

    fix_repository(repo, output_format, output, fail_on, apply=apply, strict=strict)


@app.command()
def accept(
    fingerprint: Annotated[str, typer.Argument(help="The finding's 16 hexadecimal digits.")],
    reason: Annotated[str, typer.Option(help="Why it is lived with.")],
    until: Annotated[str, typer.Option(help="Last day on which it counts: 2026-12-31.")],
    by: Annotated[str, typer.Option(help="Who says so.")],
    repo: Annotated[Path, typer.Option(help="Folder of the checkout.")] = Path(),
) -> None:
    """Write into a checkout's .secai.yaml that a finding is lived with, why and until when."""
    from secai_assets.cli.accept import accept_finding

    accept_finding(repo, fingerprint, reason=reason, until=until, by=by)


@app.command()
def verify(
    certificates: Annotated[
        list[str] | None,
        typer.Argument(
            help="Certificate files, folders of them, or ids of fixes and forged pairs; "
            "default: every offered fix."
        ),
    ] = None,
    forged: Annotated[bool, typer.Option("--forged", help="Every forged pair.")] = False,
    as_json: Json = False,
) -> None:
    """Replay proofs: apply each fix to its files again and run the scanners again."""
    from secai_assets.cli.verify import verify_certificates

    raise typer.Exit(verify_certificates(certificates or [], as_json=as_json, forged=forged))


@app.command()
def similar(
    query: Annotated[str, typer.Argument(help="A text, a problem's id, a rule or a CVE.")],
    limit: Annotated[
        int, typer.Option(min=0, max=200, help="Most hits; 0: knowledge.neighbours.")
    ] = 0,
    kind: Annotated[str, typer.Option(help="Only finding, analysis, code or fix.")] = "",
    as_json: Json = False,
) -> None:
    """Find what is remembered that is alike; for a problem, what belongs to other problems."""
    from secai_assets.cli.similar import print_similar

    print_similar(query, limit, kind, as_json=as_json)


@app.command("eval")
def evaluate(
    stage: Annotated[int, typer.Option(min=0, max=2, help="Only this stage; 0: both.")] = 0,
    max_rows: Annotated[
        int, typer.Option(min=0, help="Most rows of each test part; 0: evaluation.max_rows.")
    ] = 0,
    as_json: Json = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="The tables in short, for a page of yours.")
    ] = False,
) -> None:
    """Examine base model, Stage 1 and Stage 2 on the test parts, beside the baselines.

    With --stage or --max-rows only so much is asked, and nothing is stored.
    """
    from secai_assets.cli.eval import print_evaluation

    print_evaluation(stage, max_rows, as_json=as_json, as_markdown=as_markdown)


@app.command()
def train(
    stage: Annotated[str, typer.Option(help="1, 2 or all; Stage 2 goes on from Stage 1.")] = "all",
    as_json: Json = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="The losses as charts, for a page of yours.")
    ] = False,
) -> None:
    """Train the adapters on what was scanned; what is unchanged is kept, a killed one goes on."""
    from secai_assets.cli.train import train_adapters

    train_adapters(stage, as_json=as_json, as_markdown=as_markdown)


@app.command()
def export(
    stage: Annotated[str, typer.Option(help="1, 2, fused or all.")] = "all",
    as_json: Json = False,
) -> None:
    """Write the adapters as PEFT and MLX load them, and the fused model, and say what was lost."""
    from secai_assets.cli.export import export_adapters

    export_adapters(stage, as_json=as_json)


adapters = typer.Typer(help="Look at adapters and convert them.", no_args_is_help=True)
app.add_typer(adapters, name="adapter")
Adapter = Annotated[str, typer.Argument(help="1 or 2 (ours), or a folder as PEFT or MLX write it.")]


@adapters.command("show")
def show_adapter(source: Adapter, as_json: Json = False) -> None:
    """Say what an adapter is and whether it fits the base model here; exit 1 when it is unfit."""
    from secai_assets.cli.adapter import print_adapter

    raise typer.Exit(print_adapter(source, as_json=as_json))


@adapters.command("convert")
def convert(
    source: Adapter,
    target: Annotated[Path, typer.Argument(help="New folder.")],
    layout: Annotated[str, typer.Option("--to", help="peft or mlx.")],
) -> None:
    """Write an adapter in the other library's layout."""
    from secai_assets.cli.adapter import convert_adapter

    convert_adapter(source, target, layout)


@app.command()
def gate(
    asset: Annotated[
        str,
        typer.Argument(
            help="What is to leave; `all` for everything. Default: what is published once there "
            "are adapters, else the report."
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Say whether every blocking check passed, up to what is to leave; exit 7 when not.

    A score gate that failed stops a push; a candidate may be written.
    """
    from secai_assets.cli.gate import print_gate

    raise typer.Exit(print_gate(asset, as_json=as_json))


@app.command()
def publish(
    push: Annotated[
        bool | None,
        typer.Option(
            "--push/--dry-run",
            help="To the Hub (HF_TOKEN), or into a folder laid out like it; default: "
            "publication.push.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring the flow up to date and publish data sets and adapters; exit 7 when a gate refuses."""
    from secai_assets.cli.publish import publish_all

    raise typer.Exit(publish_all(push=push, as_json=as_json))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look at settings, scanners, packages, tokens and disk, and say what to do."""
    from secai_assets.cli.doctor import examine

    raise typer.Exit(examine(as_json=as_json))
