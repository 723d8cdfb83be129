"""How sensible the readings of the real small model are, on problems of the sample.

Needs a home in which `secai run demo --until problems` has run, and the model that
`bench_generation` uses. Problems are split in two by the hash of their id: `tuning` is for choosing
prompts, `held out` for telling how good they are. SECAI_BENCH_PROBLEMS says how many of each (12).
"""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from secai_assets.assets.analyses import _contexts, _open_problems
from secai_assets.assets.fixes import open_findings, places
from secai_assets.resources.house import House
from secai_lib.analysis import Question, questions_about, read_problems
from secai_lib.analysis.grounding import prose_of
from secai_lib.core.analysis import Analysis, Facts
from secai_lib.core.errors import UsageError
from secai_lib.core.record import content_hash
from secai_lib.core.settings import AnalysisSettings
from secai_lib.core.weakness import VulnerabilityType
from secai_lib.datasets.labels import vulnerability_type_of
from secai_lib.gateways.llm.torch_engine import TorchEngine
from tests.bench.bench_generation import model_folder
from tests.bench.table import Row

SETTINGS = AnalysisSettings(max_problems=0, retrieval=False)


def run() -> Iterator[Row]:
    """Type and severity against the evidence, abstentions and prose, for both halves."""
    questions, labels = _questions()
    most = int(os.environ.get("SECAI_BENCH_PROBLEMS", "12"))
    ordered = sorted(questions, key=lambda q: content_hash(q.problem.id))
    halves = {
        name: [q for q in ordered if int(content_hash(q.problem.id)[-1], 16) % 2 == odd][:most]
        for odd, name in enumerate(("tuning", "held out"))
    }
    engine = TorchEngine(model_folder(), "bench", 16)
    for name, asked in halves.items():
        start = time.perf_counter()
        analyses = read_problems(asked, engine, SETTINGS, model="bench")
        yield from _rows(name, asked, analyses, labels, time.perf_counter() - start)
    engine.close()


def _rows(
    name: str,
    asked: Sequence[Question],
    analyses: Sequence[Analysis],
    labels: dict[str, VulnerabilityType],
    seconds: float,
) -> Iterator[Row]:
    read = [(q, a, a.reading) for q, a in zip(asked, analyses, strict=True) if a.reading]
    why = dict(Counter(a.reason_code for a in analyses if not a.reading))
    detail = f"{len(read)} of {len(asked)}, {seconds:.0f} s, abstained {why}"
    yield Row(f"{name}: read", len(read) / len(asked), "all asked", detail)
    kinds = [labels[q.problem.id] for q, _, _ in read]
    right = sum(r.classification is kind for (_, _, r), kind in zip(read, kinds, strict=True))
    yield _against(f"{name}: type", right, Counter(kinds), [r.classification for _, _, r in read])
    worst = Counter(q.facts.severity for q, _, _ in read)
    right = sum(r.severity is q.facts.severity for q, _, r in read)
    yield _against(f"{name}: severity", right, worst, [r.severity for _, _, r in read])
    sentences = [(s, q.facts) for q, _, r in read for s in prose_of(r)]
    shared = sum(bool(_words(s) & _words(_told(facts))) for s, facts in sentences)
    distinct = len({s for s, _ in sentences})
    detail = f"{shared} of {len(sentences)} sentences, {distinct} distinct"
    yield Row(f"{name}: word of the finding", shared / max(len(sentences), 1), "all prose", detail)


def _against(name: str, right: int, truth: Counter[Any], said: Sequence[object]) -> Row:
    """Against always saying what is commonest in the evidence."""
    common = max(truth.values(), default=0)
    told = ", ".join(f"{word} {count}" for word, count in Counter(said).most_common(4))
    detail = f"{right} of {len(said)} as the evidence, commonest {common}; said {told}"
    return Row(name, right / max(common, 1), "commonest label", detail)


def _questions() -> tuple[list[Question], dict[str, VulnerabilityType]]:
    house = House()
    if not (known := places(house)):
        raise UsageError("no problems are here; run `secai run demo --until problems`")
    mine = _open_problems(house, known[0])
    found = {finding.fingerprint: finding for finding in open_findings(house, mine)}
    questions, _ = questions_about(mine, found, _contexts(house, known[0]), SETTINGS, "bench")
    labels = {}
    for problem in mine:
        results = [found[f].result for f in problem.fingerprints]
        main = min(results, key=lambda r: (r.title != problem.title, r.severity.rank, r.rule_id))
        labels[problem.id] = vulnerability_type_of(main, problem.category)
    return questions, labels


def _told(facts: Facts) -> str:
    return f"{facts.title} {facts.message} {facts.code} {facts.help}"


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"[a-z]{5,}", text.lower())}
