"""The scanners we run ourselves: how each is found, called and understood; one file each.

Every one works without a network, reads no setting from our own surroundings and cannot be
made to run code by the repository it scans. What a repository may still decide: `zizmor.yml` at
its root, `.semgrepignore`, and inline comments (`# nosec`, `# checkov:skip`, ...).
"""

from secai_lib.gateways.scanner_programs import bandit, checkov, detect_secrets, semgrep, zizmor
from secai_lib.gateways.scanner_programs.program import Scanner

SCANNERS: dict[str, Scanner] = {
    module.SCANNER.tool: module.SCANNER
    for module in (bandit, checkov, detect_secrets, semgrep, zizmor)
}
"""Slug -> scanner, sorted by slug."""
