"""What a Stage 1 row is made of: the finding that says most, and forged weaknesses as problems."""

import json

from secai_lib.core.settings import DatasetSettings
from secai_lib.datasets.material import forged_material, most_telling
from secai_lib.datasets.rows import file_group
from secai_lib.datasets.stage1 import stage1_row
from secai_lib.datasets.stage2 import stage2_rows
from tests.fakes.records import MOMENT, make_context, make_finding, make_result
from tests.fakes.repairs import make_repair


def test_the_finding_with_a_cwe_speaks_for_the_problem() -> None:
    plain = make_finding(result=make_result(help="x" * 900))
    telling = make_finding(result=make_result(tool="osv-scanner", cwes=("CWE-79",)))
    assert most_telling([plain, telling]) is telling
    assert most_telling([telling, plain]) is telling


def test_a_forged_weakness_is_labelled_by_the_scanner_and_not_by_the_forge() -> None:
    repair = make_repair(forged=True, problem="f" * 16)
    material = forged_material(repair, make_context())
    made = stage1_row(material, DatasetSettings().weights)
    labels = json.loads(made.response.partition("\n")[0])
    assert labels["severity"] == repair.finding.result.severity.value
    assert labels["type"] == "excessive_privileges"
    assert repair.fix.proposal.title in made.response
    known = made.metadata
    assert (known.forged, known.problem, known.created_at) == (True, "f" * 16, MOMENT)
    assert (known.verdict, known.fix_type) == ("fixed", "workflow-permissions")


def test_both_stages_put_a_forged_weakness_into_one_group() -> None:
    repair = make_repair(forged=True)
    first = stage1_row(forged_material(repair, make_context()), DatasetSettings().weights)
    (second,) = stage2_rows([repair], DatasetSettings(), {}).rows
    assert first.group == second.group == file_group(repair.origin, min(repair.weak))
    assert first.metadata.problem == second.metadata.problem
