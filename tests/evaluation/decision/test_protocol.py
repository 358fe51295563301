from __future__ import annotations

import pytest
from protocol_example import content, digest, protocol

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision.protocol import Protocol, setting_at


def test_what_is_written_reads_back(tmp_path):
    written = protocol()
    written.write(tmp_path / "protocol.yaml")
    read = Protocol.read(tmp_path / "protocol.yaml")
    assert read == written
    assert read.digest == written.digest != protocol(budget=0.2).digest
    assert read.settings == {"learning_rate": 0.00001}
    assert read.rehearsal.ranges[0].label == "healthy"
    assert "class: healthy" in (tmp_path / "protocol.yaml").read_text(encoding="utf-8")


def test_a_bound_in_whole_percent_is_the_bound():
    given = content()
    given["rehearsal"]["bound"] = 0.26
    assert Protocol.from_dict(given, source="p").rehearsal.cohorts == 10


def changed(path, value):
    """The document with another value at a path; a value of None leaves the key out."""
    found = content()
    place = found
    for key in path[:-1]:
        place = place[key]
    if value is None and path[-1] != "predicted":
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return found


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("rehersal",), {}, r"'rehersal' is not a key of it\. Did you mean 'rehearsal'\?"),
        (("schema_version",), 2, "'schema_version': input should be 1"),
        (("bundle", "weights"), "abc", "'bundle.weights': string should match"),
        (("budget",), "0.1", "'budget': input should be a valid number"),
        (("qualified_for", "classes"), [], "'qualified_for.classes'"),
        (("method",), {"depth": "head"}, "expected 'method' to have a 'name'"),
        (("rehearsal", "bound"), 0.05, "expected the 'bound' that follows"),
        (("rehearsal", "equivalent"), 9, "numbers that 'evidence' shows"),
        (("rehearsal", "cohorts"), 59, "numbers that 'evidence' shows"),
        (("rehearsal", "line"), "all is well", "expected the 'line' that follows"),
        (("rehearsal", "tuned"), 0, "number of cohorts in 'tuned_on'"),
        (("rehearsal", "least_moved"), None, "'rehearsal.least_moved': field required"),
        (("budget",), float("inf"), "'budget': input should be a finite number"),
        (
            ("rehearsal", "ranges"),
            2 * content()["rehearsal"]["ranges"],
            "for each subset and class, and for what moved",
        ),
        (("rehearsal", "ranges", 0, "what"), "colour", r"rehearsal\.ranges\.0\.what"),
        (("rehearsal", "evidence", 1, "verdict"), "fine", "'rehearsal.evidence.1.verdict'"),
        (("rehearsal", "evidence", 1, "spec"), f"sha256:{0:064x}", "each cohort once"),
        (("rehearsal", "tuned_on", 1, "spec"), f"sha256:{0:064x}", "each cohort once"),
        (("rehearsal", "evidence", 1, "metrics"), content()["rehearsal"]["evidence"][0]["metrics"], "each run once"),
        (("rehearsal", "tuned_on", 1, "metrics"), content()["rehearsal"]["evidence"][2]["metrics"], "each run once"),
    ],
)
def test_a_document_that_contradicts_itself_or_the_schema_is_refused(path, value, message):
    with pytest.raises(ConfigError, match=rf"protocol\.yaml: expected a protocol; .*{message}.*rehearse` wrote it"):
        Protocol.from_dict(changed(path, value), source="protocol.yaml")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("method", "depth"), "$__import__('os').system('true')"),
        (("method", "depth"), "@network"),
        (("method", "_target_"), "os.system"),
        (("method", "depth"), "{_target_: os.system}"),
        (("settings", "phases"), ["$1"]),
        (("settings", "image_size"), " %train.yaml"),
        (("settings", "imports"), "x"),
        (("settings", "imports::0"), "x"),
        (("settings", "output_dir"), "x"),
        (("settings", "network_def::_target_"), "x"),
        (("settings", "training_configs"), ["other.yaml"]),
        (("decision", "healthy_classes"), ["$1"]),
        (("decision", "endpoints"), [{"subset": "@x"}]),
    ],
)
def test_what_a_config_would_execute_or_follow_is_refused(path, value):
    with pytest.raises(ConfigError, match="expected"):
        Protocol.from_dict(changed(path, value), source="protocol.yaml")


def test_lists_are_settings():
    assert Protocol.from_dict(changed(("settings", "image_size"), [64, 64]), source="p").settings["image_size"] == [
        64,
        64,
    ]


@pytest.mark.parametrize("text", ["- 1", "a: &x 1", "method: {name: reset", "!!python/object:os.system {}"])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "protocol.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"protocol\.yaml"):
        Protocol.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: expected a protocol, but it cannot be read"):
        Protocol.read(tmp_path / "none.yaml")


def test_a_message_holds_no_value():
    given = content()
    given["bundle"]["name"] = ["Jane Doe"]
    with pytest.raises(ConfigError) as caught:
        Protocol.from_dict(given, source="p")
    assert "Jane" not in str(caught.value)
    assert digest("a").startswith("sha256:")


@pytest.mark.parametrize("step", ["²", "٣", "-1", "7", "x"])
def test_a_list_has_no_such_place(step):
    assert setting_at({"a": [4]}, f"a::{step}") == (False, None)
