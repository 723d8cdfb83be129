"""Every format we read, one line each."""

from secai_lib.parsers.bandit import BanditParser
from secai_lib.parsers.base import Parser
from secai_lib.parsers.checkov import CheckovParser
from secai_lib.parsers.dependency_check import DependencyCheckParser
from secai_lib.parsers.detect_secrets import DetectSecretsParser
from secai_lib.parsers.gitleaks import GitleaksParser
from secai_lib.parsers.gosec import GosecParser
from secai_lib.parsers.govulncheck import GovulncheckParser
from secai_lib.parsers.grype import GrypeParser
from secai_lib.parsers.hadolint import HadolintParser
from secai_lib.parsers.kics import KicsParser
from secai_lib.parsers.npm_audit import NpmAuditParser
from secai_lib.parsers.nuclei import NucleiParser
from secai_lib.parsers.osv import OsvParser
from secai_lib.parsers.pip_audit import PipAuditParser
from secai_lib.parsers.sarif import SarifParser
from secai_lib.parsers.semgrep import SemgrepParser
from secai_lib.parsers.snyk import SnykParser
from secai_lib.parsers.trivy import TrivyParser
from secai_lib.parsers.trufflehog import TrufflehogParser
from secai_lib.parsers.zap import ZapParser
from secai_lib.parsers.zizmor import ZizmorParser

SCANNERS: tuple[Parser, ...] = (
    BanditParser(),
    CheckovParser(),
    DependencyCheckParser(),
    DetectSecretsParser(),
    GitleaksParser(),
    GosecParser(),
    GovulncheckParser(),
    GrypeParser(),
    HadolintParser(),
    KicsParser(),
    NpmAuditParser(),
    NucleiParser(),
    OsvParser(),
    PipAuditParser(),
    SemgrepParser(),
    SnykParser(),
    TrivyParser(),
    TrufflehogParser(),
    ZapParser(),
    ZizmorParser(),
)
"""One scanner a line; its SARIF names and secrets come with it."""

PARSERS: tuple[Parser, ...] = (SarifParser(SCANNERS), *SCANNERS)
"""Asked in this order; the surest one reads the file."""
