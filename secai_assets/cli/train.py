"""`train`: the adapters of one or both stages, with all they are made of."""

from itertools import pairwise

import typer

from secai_assets.cli.flow import errors, finish, print_json
from secai_assets.cli.terminal import shown
from secai_assets.resources.adapters import read_adapter
from secai_assets.resources.house import House
from secai_assets.resources.training import ADAPTERS, read_speed, read_training
from secai_assets.run import run_again
from secai_lib.core.adapter import Stage
from secai_lib.core.errors import UsageError
from secai_lib.training import Training

STAGES: dict[str, tuple[Stage, ...]] = {"1": (1,), "2": (1, 2), "all": (1, 2)}
"""What `--stage` takes -> the stages that are there afterwards: Stage 2 goes on from Stage 1."""


def train_adapters(stage: str, *, as_json: bool, as_markdown: bool = False) -> None:
    """Materialize the adapters and all they are made of, of every scan run that is known here.

    What is unchanged is kept; a training that was killed goes on from its last checkpoint.

    Raises:
        UsageError: there is no such stage, or nothing was scanned yet.
    """
    if stage not in STAGES:
        raise UsageError(f"{shown(stage)} is no stage; choose one of {', '.join(STAGES)}")
    house, stages = House(), STAGES[stage]
    outcome = run_again(house, ADAPTERS[stages[-1]])
    made = [one for one in stages if ADAPTERS[one] in outcome.made]
    if as_json:
        print_json({"adapters": [facts_of_stage(house, one) for one in made],
                    "failed": outcome.failed_steps})  # fmt: skip
    elif as_markdown:
        typer.echo("\n\n".join(loss_chart(read_training(house, one)) for one in made))
    else:
        for one in made:
            typer.echo(_sentence(house, one))
        errors.print(f"[dim]Curves and settings:[/] secai up, group training, {len(made)} assets")
    finish(outcome)


def facts_of_stage(house: House, stage: Stage) -> dict[str, object]:
    """What is to be known of the trained adapter of `stage`, as plain JSON values."""
    training, (adapter, _weights) = (
        read_training(house, stage),
        read_adapter(house, ADAPTERS[stage]),
    )
    looks = [look.loss for look in training.validations if look.step]
    facts: dict[str, object] = {
        "stage": stage,
        "digest": adapter.digest,
        "parent": adapter.parent,
        "base": adapter.base,
        "engine": training.engine,
        "steps": len(training.steps),
        "best_step": training.best_step,
        "rows": training.own_rows,
        "left_out": training.left_out,
        "probe_loss": [training.probe_before, training.probe_after],
        "validation_loss": min(looks, default=None),
        **training.seen.model_dump(include={"tokens", "padding", "epochs", "replayed_rows"}),
        "folder": str(house.store.path(ADAPTERS[stage])),
    }
    for speed in read_speed(house, stage):
        facts |= {"seconds": speed.seconds, "tokens_per_second": speed.tokens_per_second}
    return facts


def loss_chart(training: Training) -> str:
    """The losses of a training as a chart of Mermaid, which GitHub draws in Markdown.

    One point for each validation: its loss, and the mean of the own steps since the one before.
    """
    looks = training.validations
    edges = [0, *(look.step for look in looks)]
    own: list[float] = []
    for first, last in pairwise(edges):
        steps = training.steps[first : max(last, first + 1)]
        losses = [step.loss for step in steps if not step.replayed]
        own.append(sum(losses) / len(losses) if losses else own[-1])
    lines = {"training": own, "validation": [look.own for look in looks]}
    drawn = "\n".join(
        f'  line "{name}" [{", ".join(f"{value:.3f}" for value in values)}]'
        for name, values in lines.items()
    )
    return (
        f"```mermaid\nxychart-beta\n"
        f'  title "Stage {training.stage}: loss in training, and on the validation part"\n'
        f'  x-axis "steps" [{", ".join(str(look.step) for look in looks)}]\n'
        f'  y-axis "nats a token"\n{drawn}\n```'
    )


def _sentence(house: House, stage: Stage) -> str:
    training = read_training(house, stage)
    began = " from Stage 1's adapter" if training.resumed else ""
    return (
        f"Stage {stage}: {len(training.steps)} steps{began}, loss of the probe rows "
        f"{training.probe_before:.3f} -> {training.probe_after:.3f}, kept behind step "
        f"{training.best_step}, {training.seen.epochs:.1f} epochs, "
        f"{training.seen.replayed_rows:.0%} replayed: {house.store.path(ADAPTERS[stage])}"
    )
