"""Can a data set be trained on? Judged from its rows alone, by other means than they were made."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from secai_lib.core.finding import Category
from secai_lib.core.settings import DatasetSettings, Quality
from secai_lib.core.shingles import compared, jaccard, shingles
from secai_lib.core.training import Split, TrainingExample
from secai_lib.core.verdict import Verdict
from secai_lib.quality import row_faults
from secai_lib.quality.limits import at_least, at_most

Rows = Sequence[TrainingExample]

FAULTS: Mapping[str, Callable[[TrainingExample], str]] = {
    "placeholder": row_faults.placeholder,
    "answer_in_prompt": row_faults.answer_in_prompt,
    "contradiction": row_faults.contradiction,
    "secret": row_faults.secret,
    "invented_id": row_faults.invented_id,
}
"""Name of the check -> what finds the fault in a row."""
FEW = 5
"""Rows of a type below which its share of distinct answers says nothing."""


def min_rows(rows: Rows, quality: Quality) -> Verdict:
    """The training part has enough rows."""
    sizes = Counter(row.split for row in rows)
    parts = ", ".join(f"{sizes[split]} {split}" for split in Split)
    return at_least(
        "min_rows",
        sizes[Split.TRAIN],
        quality.datasets_min_rows,
        good=f"{len(rows)} rows: {parts}.",
        bad=f"{parts}: scan more repositories, or let the forge make more.",
    )


def no_leak(rows: Rows, settings: DatasetSettings, quality: Quality) -> Verdict:
    """No group, file, problem and near-duplicate is in two parts; every pair is compared."""
    parts = {split: [row for row in rows if row.split is split] for split in Split}
    groups = {split: {row.group for row in own} for split, own in parts.items()}
    problems = {split: {row.metadata.problem for row in own} for split, own in parts.items()}
    files = {split: {f for row in own if (f := _file(row))} for split, own in parts.items()}
    shared = alike = 0
    highest = 0.0
    for one, other in ((Split.TRAIN, Split.VALIDATION), (Split.TRAIN, Split.TEST),
                       (Split.VALIDATION, Split.TEST)):  # fmt: skip
        shared += sum(len(of[one] & of[other]) for of in (groups, problems, files))
        found = _similarities(parts[one], parts[other])
        alike += sum(value >= settings.near_duplicate for value in found)
        highest = max([highest, *found])
    return at_most(
        "no_leak",
        shared + alike,
        quality.datasets_max_leaks,
        good="No group, file or problem is in two parts; "
        f"the most similar rows across parts share {highest:.2f}.",
        bad=f"{shared} groups, files or problems are in two parts, and {alike} pairs of rows "
        f"across parts are at least {settings.near_duplicate} alike: no score on this test part "
        "would count.",
    )


def fault(name: str, rows: Rows, quality: Quality) -> Verdict:
    """No row has the fault `name`, one of `FAULTS`."""
    found = [(row.id, reason) for row in rows if (reason := FAULTS[name](row))]
    said = "; ".join(f"row {key}: {reason}" for key, reason in found[:3])
    return at_most(
        name,
        len(found),
        quality.datasets_max_faults,
        good=f"{len(rows)} rows, none with this fault.",
        bad=f"{len(found)} rows: {said}.",
    )


def weights(rows: Rows, settings: DatasetSettings) -> Verdict:
    """Every row carries its category's weight; the sentence tells the effective shares."""
    wrong = [
        row
        for row in rows
        if row.metadata.training_weight != settings.weights.get(row.metadata.category, 1.0)
    ]
    train = [row.metadata for row in rows if row.split is Split.TRAIN]
    total = sum(known.training_weight for known in train)
    shares: dict[str, float] = {}
    for known in train:
        part = known.training_weight / total if total else 0.0
        shares[known.category.value] = shares.get(known.category.value, 0.0) + part
    told = ", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items()))
    return at_most(
        "weights",
        len(wrong),
        0,
        good=f"Shares of the loss: {told or 'none'}.",
        bad=f"{len(wrong)} rows have another weight than their category in config/datasets.yaml.",
    )


def diversity(rows: Rows, settings: DatasetSettings) -> Verdict:
    """Within each type of weakness enough answers are different ones."""
    answers: dict[str, list[str]] = {}
    for row in rows:
        if not row.metadata.augmented:
            answers.setdefault(row.metadata.vulnerability_type.value, []).append(row.response)
    shares = {k: len(set(v)) / len(v) for k, v in answers.items() if len(v) >= FEW}
    lowest = min(shares, key=lambda kind: (shares[kind], kind), default="")
    told = f"{shares.get(lowest, 1.0):.0%} of the answers differ"
    return at_least(
        "diversity",
        round(shares.get(lowest, 1.0), 4),
        settings.diversity,
        good=f"Of {lowest or 'every type'} {told}.",
        bad=f"Of {lowest} only {told}: the model would learn one answer by heart.",
    )


def token_length(tokens: Mapping[str, int], settings: DatasetSettings) -> Verdict:
    """No row is longer than what the trainer takes."""
    longest = max(tokens.values(), default=0)
    return at_most(
        "token_length",
        longest,
        settings.max_tokens,
        good=f"The longest row has {longest} tokens.",
        bad=f"The longest row has {longest} tokens; training would cut off its answer.",
    )


def _file(row: TrainingExample) -> str:
    """The file a row is about, if its group is by files; a manifest has many packages."""
    known = row.metadata
    by_package = known.category is Category.DEPENDENCY or "\nPackage: " in row.instruction
    return "" if by_package or not known.file else f"{known.repository}:{known.file}"


def _similarities(some: Rows, others: Rows) -> list[float]:
    left, right = ([shingles(compared(row)) for row in rows] for rows in (some, others))
    return [jaccard(one, other) for one in left for other in right]
