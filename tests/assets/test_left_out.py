"""What lies beside reports and is not taken stays on record."""

from pathlib import Path

import pytest

from secai_assets.assets.findings import parse_run, read_skipped
from secai_assets.assets.raw_scans import take_in
from secai_assets.resources.house import House
from secai_assets.resources.intake import files_scan
from secai_lib.core.scan import ScanRun
from secai_lib.quality.scans import archives_ok


@pytest.mark.usefixtures("home")
def test_a_link_in_a_folder_is_recorded_and_blocks_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "a.json").write_text("[]")
    (folder / "b.json").symlink_to("/etc/passwd")
    house = House()
    request = files_scan(house, folder, repository="a/b")
    key = house.add_request(request)
    take_in(house, key, lambda _: None)
    run = ScanRun.model_validate_json(house.store.read("raw_scans", "run.json", key))
    assert [file.path for file in run.files] == ["a.json"]
    assert archives_ok(run).passed
    parse_run(house, key)
    assert [(s.file, s.reason) for s in read_skipped(house, key)] == [
        ("b.json", "a link is not followed")
    ]
