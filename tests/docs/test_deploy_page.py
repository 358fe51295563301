"""The commands of the deployment page: the export runs as shown, and places `model.ts` where MONAI Deploy finds it.

`tests/bundles/test_deploy_sdk.py` runs the application that they start.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import yaml
from deploy_operator import model_file

from monai_unlearn.release.report_content import ModelIdentity
from monai_unlearn.release.torchscript import read_export

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
(EXPORT,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(WALK,) = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_export_runs_as_shown_and_is_found_where_the_page_places_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "bundles" / "mri_classifier", tmp_path / "revision" / "revised_bundle")
    exec(compile(EXPORT, "deploy.md", "exec"), {})  # noqa: S102 - the page's own example
    script = Path(capsys.readouterr().out.splitlines()[-1])
    assert read_export(script).metadata["name"] == "MRI classifier"
    # The application names these classes in its reports.
    assert ModelIdentity.of_export(script).class_names == ("glioma", "meningioma", "notumor", "pituitary")

    *placing, start = [shlex.split(line) for line in WALK.splitlines()]
    for words in placing:
        subprocess.run([shutil.which(words[0]), *words[1:]], check=True)
    options = dict(zip(start[2::2], start[3::2], strict=True))
    assert model_file(Path(options["--model"])).read_bytes() == script.read_bytes()
    assert (ROOT / start[1]).is_file()


def test_the_manifest_names_what_the_application_reads():
    manifest = yaml.safe_load((ROOT / "examples" / "map" / "app.yaml").read_text(encoding="utf-8"))
    assert set(manifest) == {"application", "resources"}
    required = (ROOT / "examples" / "map" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "monai-unlearn[pacs]" in required
