from __future__ import annotations

import json

import pytest
from lineage_example import DIGEST
from release_example import card, rendered

from monai_unlearn.card.eval_metrics import eval_metrics
from monai_unlearn.release.verify import cards
from monai_unlearn.release.verify.cards import compare_card, compare_eval_metrics, compare_renderings, read_card

MD, HTML, JSON = "model_card_diff.md", "model_card_diff.html", "model_card_diff.json"


@pytest.fixture
def root(tmp_path):
    write(tmp_path)
    return tmp_path


def write(root, suffix=""):
    (root / "docs").mkdir(exist_ok=True)
    diff = card(version="1.1.0", verdict="erased", weights=DIGEST)
    for name, text in rendered(diff).items():
        (root / "docs" / name.replace("diff", f"diff{suffix}")).write_text(text, encoding="utf-8")


def lines(root):
    return [fault.line for fault in compare_renderings(root)]


def edit(root, name, old, new):
    path = root / "docs" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_renderings_follow_from_the_json(root):
    assert not lines(root)
    assert read_card(root)["verdict"] == "erased"
    assert read_card(root.parent) is None


@pytest.mark.parametrize("name", [MD, HTML])
def test_a_changed_figure_is_named(name, root):
    edit(root, name, "50.0 %", "95.0 %")
    (line,) = lines(root)
    assert line.startswith(f"docs/{name}: is not what its JSON gives: line ")
    assert "'50.0'" in line
    assert "'95.0'" in line


def test_a_changed_figure_in_the_json_is_named(root):
    path = root / "docs" / JSON
    diff = json.loads(path.read_text())
    diff["metrics"][0]["after"]["value"] = 0.75
    path.write_text(json.dumps(diff, indent=2, ensure_ascii=False) + "\n")
    assert any("75.0" in line for line in lines(root))


def test_cards_of_earlier_revisions_are_compared_too(root):
    write(root, "-1.0.0")
    assert not lines(root)
    edit(root, "model_card_diff-1.0.0.md", "50.0 %", "95.0 %")
    assert lines(root)[0].startswith("docs/model_card_diff-1.0.0.md: is not what its JSON gives")


def test_under_another_version_layout_may_differ_and_figures_may_not(root, monkeypatch):
    monkeypatch.setattr(cards, "__version__", "9.9")
    edit(root, MD, "## Did it forget?", "## Has it forgotten?")
    assert not lines(root)
    edit(root, MD, "50.0 %", "95.0 %")
    assert any("expected" in line and "95.0" in line for line in lines(root))


@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"modification": 3}'])
def test_a_card_that_cannot_be_read_is_named(text, root):
    (root / "docs" / JSON).write_text(text)
    assert lines(root)[0].startswith(f"docs/{JSON}: cannot be read as a card")


def test_a_rendering_without_its_json_and_one_that_is_missing(root):
    (root / "docs" / MD).unlink()
    assert lines(root) == [f"docs/{MD}: is missing; {JSON} is rendered as it, too."]
    (root / "docs" / JSON).unlink()
    others = sorted(path.name for path in (root / "docs").iterdir())
    assert lines(root) == [f"docs/{name}: has no {JSON} beside it that it renders." for name in others]
    assert HTML in others
    (root / "docs" / HTML).write_bytes(b"\xff")
    write(root)
    (root / "docs" / HTML).write_bytes(b"\xff")
    assert lines(root) == [f"docs/{HTML}: is not text."]


def test_the_figures_in_the_metadata_are_those_of_the_card(monkeypatch):
    diff = card(version="1.1.0", verdict="erased", weights=DIGEST)
    known = eval_metrics(diff)
    assert known["accuracy"] == 0.88

    def found(metrics, of=diff):
        return [fault.line for fault in compare_eval_metrics(of, {"eval_metrics": metrics})]

    assert not found(known)
    said = "configs/metadata.json: eval_metrics.accuracy is 0.98; the card says 0.88."
    assert found({**known, "accuracy": 0.98}) == [said]
    assert found({**known, "own": 1}) == ["configs/metadata.json: eval_metrics.own is 1; the card says None."]
    assert len(found(None)) == len(known)
    assert not found(known, of={"metrics": 3})
    monkeypatch.setattr(cards, "__version__", "9.9")
    assert found({"accuracy": 0.98, "own": 1}) == [said]


def test_values_of_the_card_by_their_keys():
    expected = {"a.b": (1, "x"), "a": ({"b": 2}, "y"), "c.d": (None, "z"), "a.b.c": (3, "w")}
    assert [fault.line for fault in compare_card({"a": {"b": 2}}, expected=expected)] == [
        f"docs/{JSON}: a.b is 2; x says 1.",
        f"docs/{JSON}: a.b.c is None; w says 3.",
    ]
