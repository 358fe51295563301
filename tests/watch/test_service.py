from __future__ import annotations

import json
import os
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nightly import NIGHTLY
from release_example import write_keys
from watch_example import PATIENTS, drop, patient, plan_of, withdrawals, write_results

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import ConfigError
from monai_unlearn.index import Index
from monai_unlearn.release.ledger import Ledger
from monai_unlearn.release.ledger import ledger as ledger_module
from monai_unlearn.release.sign import sign_file
from monai_unlearn.vocabulary.run_folder import RunFolder
from monai_unlearn.watch.service import opened_service
from monai_unlearn.watch.trust import Trusted

EVENTS = ["receive", "preview", "start", "finish"]


def events(place):
    return [line.event.event for line in Ledger(place / "store").lines()]


def forgotten(place, run):
    """The patients whom the spec of a run forgets."""
    cohort = CohortSpec.read(run["cohort_spec"]).resolve(Index.open(place / "index"))
    return sorted(cohort.forget["patient"].unique())


def reason(place, document):
    """The reason file of the one request."""
    (one,) = document["requests"]
    assert one["state"] == "left"
    return json.loads((place / "out" / "left" / f"{one['id']}.json").read_text(encoding="utf-8"))


def test_a_list_of_the_owner_becomes_a_revision(place, played, scan):
    drop(place, "leaving.txt", withdrawals(0, 1))
    document = scan()
    (one,) = document["requests"]
    assert (one["kind"], one["trusted"], one["state"], one["verdict"]) == ("withdrawals", "owner", "done", "qualified")
    assert one["revised_bundle"] == str(place / "out" / "requests" / one["id"] / "run" / "revised_bundle")
    (run,) = played.runs
    assert run["protocol"] == str(place / "protocol.yaml")
    assert run["index_dir"] == str(place / "index")
    assert forgotten(place, run) == [patient(0), patient(1)]
    assert events(place) == EVENTS
    assert document["counts"] == {"taken": 0, "running": 0, "done": 1, "left": 0}


def test_nothing_is_done_twice(place, played, scan):
    drop(place, "leaving.txt", withdrawals(0, 1))
    scan()
    drop(place, "the-same.txt", withdrawals(0, 1))
    again = scan()
    assert (again["requests"], len(played.runs), events(place)) == ([], 1, EVENTS)


def test_no_name_of_a_file_and_no_identifier_is_shown(place, scan):
    drop(place, "MRN-0000-wants-out.txt", withdrawals(0, 1))
    assert "MRN" not in json.dumps(scan())
    assert "MRN" not in (place / "store" / "ledger.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("trusted", "mode", "why"),
    [
        (Trusted(), 0o640, "Nobody is trusted"),
        (
            Trusted(owners=frozenset({4711})),
            0o640,
            "belongs to a user who is not named by --owner, and it is not signed",
        ),
        (Trusted(owners=frozenset({os.getuid()})), 0o660, "Others than its owner may write to it"),
    ],
)
def test_a_file_of_a_stranger_is_previewed_and_left(place, played, scan, trusted, mode, why):
    drop(place, "leaving.txt", withdrawals(0, 1), mode=mode)
    left = reason(place, scan(trusted=trusted))
    assert why in left["reasons"][0]
    assert left["preview"]["patients"]["forget"] == 2
    assert left["file"] == "leaving.txt"
    assert not played.runs
    assert events(place) == ["receive", "preview", "leave"]


def test_a_signed_file_is_acted_on(place, played, scan):
    private, public = write_keys(place, "office")
    other, _ = write_keys(place, "other")
    trusted = Trusted(keys=(public,))
    path = drop(place, "leaving.txt", withdrawals(0, 1))
    sign_file(path, other)
    assert "its signature is not that of a key" in reason(place, scan(trusted=trusted))["reasons"][0]
    # Signed later, it is looked at again.
    sign_file(path, private)
    (one,) = scan(trusted=trusted)["requests"]
    assert (one["trusted"], one["state"], len(played.runs)) == ("key", "done", 1)
    assert not list((place / "out" / "left").iterdir())


def test_a_signature_is_of_one_content(place, played, scan):
    private, public = write_keys(place, "office")
    path = drop(place, "leaving.txt", withdrawals(0, 1))
    sign_file(path, private)
    drop(place, "leaving.txt", withdrawals(0, 1, 2, 3))
    assert scan(trusted=Trusted(keys=(public,)))["requests"][0]["state"] == "left"
    assert not played.runs


def test_what_was_forgotten_before_is_forgotten_with_it(place, played, scan):
    drop(place, "a.txt", withdrawals(0, 1))
    drop(place, "b.csv", f"when,patient_id\n2026-01-01,{patient(2)}\n2026-01-02,{patient(3)}\n")
    first, second = scan(runs_a_day=2)["requests"]
    assert second["with_earlier"] == [first["id"]]
    assert [forgotten(place, run) for run in played.runs] == [
        [patient(0), patient(1)],
        [patient(number) for number in range(4)],
    ]


def test_many_small_requests_do_not_exceed_the_protocol(place, played, scan):
    for number in range(0, 10, 2):
        drop(place, f"{number}.txt", withdrawals(number, number + 1))
    states = [one["state"] for one in scan(runs_a_day=9)["requests"]]
    # The protocol allows 20 % of 40 patients, which are eight.
    assert (states, len(played.runs)) == (["done"] * 4 + ["left"], 4)
    left = json.loads(next((place / "out" / "left").iterdir()).read_text(encoding="utf-8"))
    assert left["reasons"][0].startswith("It forgets 25.0 % of the patients, with what was forgotten before")
    assert left["preview"]["patients"]["forget"] == 2


def test_more_than_the_share_is_left_for_a_person(place, played, scan):
    drop(place, "half.txt", withdrawals(*range(PATIENTS // 2)))
    left = reason(place, scan())
    assert "It forgets 50.0 % of the patients" in left["reasons"][0]
    assert not played.runs


def test_only_so_many_runs_a_day(place, played, scan, monkeypatch):
    for number in (0, 2):
        drop(place, f"{number}.txt", withdrawals(number, number + 1))
    document = scan()
    assert [one["state"] for one in document["requests"]] == ["done", "left"]
    assert "1 runs within 24 hours are allowed" in document["requests"][1]["reasons"][0]

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=25)

    monkeypatch.setattr("monai_unlearn.watch.steps.datetime", Tomorrow)
    drop(place, "4.txt", withdrawals(4, 5))
    assert [one["state"] for one in scan()["requests"]] == ["done"]
    assert len(played.runs) == 2


def test_a_person_may_have_it_looked_at_again(place, played, scan):
    drop(place, "leaving.txt", withdrawals(0, 1))
    (one,) = scan(runs_a_day=0)["requests"]
    assert scan(runs_a_day=1)["requests"] == []
    shutil.rmtree(place / "out" / "requests" / one["id"])
    assert [again["state"] for again in scan(runs_a_day=1)["requests"]] == ["done"]
    assert events(place) == ["receive", "preview", "leave", *EVENTS]


def test_without_a_ledger_nothing_is_run(place, played, scan):
    drop(place, "leaving.txt", withdrawals(0, 1))
    left = reason(place, scan(store=None, key=None, key_file=None))
    assert left["reasons"] == [
        "There is no ledger to note a run in: the service was started without --store and --key."
    ]
    assert not played.runs


def test_a_protocol_of_other_weights_is_not_applied(place, played, scan):
    text = (place / "protocol.yaml").read_text(encoding="utf-8")
    (place / "protocol.yaml").write_text(text.replace("name: Some", "name: Else"))
    drop(place, "leaving.txt", withdrawals(0, 1))
    assert "The protocol was rehearsed with Else 1.1.0" in reason(place, scan())["reasons"][0]


def test_a_spec_and_its_list_are_one_request(place, played, scan):
    drop(place, "gone.list", withdrawals(0, 1))
    spec = "schema_version: 1\nname: out\nreason: consent_withdrawal\nvalue_sets: {gone: {file: gone.list}}\n"
    drop(place, "spec.yaml", f"{spec}forget: patient in @gone\nscope: patient\n")
    (one,) = scan()["requests"]
    assert (one["kind"], one["state"]) == ("spec", "done")
    assert forgotten(place, played.runs[0]) == [patient(0), patient(1)]


def test_a_spec_for_another_reason_than_was_rehearsed_is_left(place, played, scan):
    drop(place, "spec.yaml", "schema_version: 1\nname: old\nreason: other\nforget: device == Old\n")
    assert any("It was rehearsed for the reason consent_withdrawal" in one for one in reason(place, scan())["reasons"])


def test_somebody_who_is_not_in_the_index(place, played, scan):
    drop(place, "leaving.txt", f"{patient(0)}\nMRN-9999\n")
    left = reason(place, scan())
    assert "found 1 of 2. Fix the spelling in the list" in left["reasons"][0]
    assert "9999" not in json.dumps(left)
    assert not played.runs


def test_what_cannot_be_read_is_left_with_the_reason(place, played, scan):
    inbox = place / "inbox"
    os.mkfifo(inbox / "pipe.txt")
    (inbox / "folder.txt").mkdir()
    (inbox / "link.txt").symlink_to(place / "protocol.yaml")
    drop(place, "photo.png", b"x")
    drop(place, "broken.yaml", "a: [")
    drop(place, "not fit.txt", withdrawals(0))
    drop(place, "hard.txt", withdrawals(0))
    os.link(inbox / "hard.txt", inbox / "other.txt")
    began = time.monotonic()
    document = scan()
    assert time.monotonic() - began < 60  # a FIFO would have been waited for without end
    assert {one["state"] for one in document["requests"]} == {"left"}
    found = {}
    for path in (place / "out" / "left").iterdir():
        left = json.loads(path.read_text(encoding="utf-8"))
        found[left["file"]] = left["reasons"][0]
    assert "it is a FIFO, no plain file" in found["pipe.txt"]
    assert "it is a folder, no plain file" in found["folder.txt"]
    assert "it is a link, no plain file" in found["link.txt"]
    assert "several names (hard links)" in found["hard.txt"]
    assert "it is none of .txt" in found["photo.png"]
    assert "its name has other characters" in found["not fit.txt"]
    assert "broken.yaml" in found
    assert scan()["requests"] == []
    assert not played.runs


def test_a_run_that_is_not_accepted_is_left_and_forgets_nothing_later(place, played, scan):
    drop(place, "a.txt", withdrawals(0, 1))
    played.code = 3
    left = reason(place, scan())
    assert left["reasons"] == ["Its run was not accepted: inconclusive.", "Remain is not shown to be kept."]
    assert left["verdict"] == "inconclusive"
    played.code = 0
    drop(place, "b.txt", withdrawals(2, 3))
    (one,) = scan(runs_a_day=2)["requests"]
    assert (one["state"], one["with_earlier"]) == ("done", [])
    assert events(place) == ["receive", "preview", "start", "finish", "leave", *EVENTS]


def test_a_run_that_fails_is_left(place, played, scan):
    drop(place, "a.txt", withdrawals(0, 1))
    played.code = 2
    assert reason(place, scan())["reasons"][0].startswith("Its run ended with exit code 2: it printed nothing.")
    played.code = 0
    assert scan()["requests"] == []


def test_a_run_that_the_system_killed_goes_on(place, played, scan):
    drop(place, "a.txt", withdrawals(0, 1))
    played.code = -9
    assert scan()["requests"][0]["state"] == "running"
    played.code = 0
    assert scan()["requests"][0]["state"] == "done"
    assert events(place) == EVENTS


def test_what_ends_the_service_again_and_again_is_left(place, played, scan, monkeypatch):
    def end(*_):
        raise MemoryError

    drop(place, "a.txt", withdrawals(0, 1))
    with monkeypatch.context() as patched:
        patched.setattr("monai_unlearn.watch.service.preview", end)
        for _ in range(3):
            with pytest.raises(MemoryError, match="^$"):
                scan()
    assert reason(place, scan())["reasons"] == ["The service ended 3 times while it worked on it."]


def test_a_run_that_came_to_its_end_is_taken_however_often_the_service_ended(place, played, scan):
    """It is accepted: later runs must forget its patients too."""
    drop(place, "a.txt", withdrawals(0, 1))
    played.code = -9
    assert scan()["requests"][0]["state"] == "running"
    (state,) = (place / "out").glob("requests/*/state.json")
    document = json.loads(state.read_text(encoding="utf-8"))
    state.write_text(json.dumps({**document, "attempts": 3}), encoding="utf-8")
    write_results(RunFolder(state.parent / "run"))
    assert scan()["requests"][0]["state"] == "done"
    assert (len(played.runs), events(place)) == (1, EVENTS)


def test_strangers_are_looked_at_one_by_one_after_those_who_are_trusted(place, played):
    for number in range(3):
        drop(place, f"{number}.txt", withdrawals(number), mode=0o660)
    with opened_service(plan_of(place)) as service:
        document = service.scan(strangers=1)
        assert ([one["state"] for one in document["requests"]], document["counts"]["taken"]) == (["left"], 2)
        drop(place, "late.txt", withdrawals(8, 9))
        document = service.scan(strangers=1)
        assert [(one["trusted"], one["state"]) for one in document["requests"]] == [("owner", "done"), (None, "left")]
        assert service.scan()["counts"] == {"taken": 0, "running": 0, "done": 1, "left": 3}


def test_one_service_at_a_time(place, scan):
    with opened_service(plan_of(place)), pytest.raises(ConfigError, match="--out .*: another service works there"):
        scan()
    with opened_service(plan_of(place)), pytest.raises(ConfigError, match="--store .*: another service works there"):
        scan(out=place / "elsewhere")


def test_a_folder_of_something_else_is_refused(place, scan):
    (place / "out").mkdir()
    (place / "out" / "mine.txt").write_text("x")
    with pytest.raises(ConfigError, match="--out .*: expected a new or empty folder, or that of this service"):
        scan()


def test_the_folder_is_for_its_owner_alone(place, scan):
    scan()
    assert (place / "out").stat().st_mode & 0o777 == 0o700


def test_a_folder_without_its_accepted_runs_is_refused(place, scan):
    drop(place, "a.txt", withdrawals(0, 1))
    scan()
    shutil.rmtree(place / "out")
    with pytest.raises(ConfigError, match="the ledger notes 1 accepted runs of this protocol that are not there"):
        scan()


class Killed(BaseException):
    """Ends the service between two steps."""


def test_killed_at_any_point_it_neither_repeats_nor_loses_a_run(place, played, scan, monkeypatch):
    """Ends the service at its first durable step, its second, and so on, and then lets it finish."""
    replace, write, point, count = Path.replace, ledger_module.Ledger._write, [0], [0]

    def counted(self, target):
        count[0] += 1
        if count[0] == point[0]:
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", counted)

    def written(self, text):
        count[0] += 1
        if count[0] == point[0]:
            raise Killed
        write(self, text)

    monkeypatch.setattr(ledger_module.Ledger, "_write", written)
    steps = range(1, 40, 1 if NIGHTLY else 3)
    for step in steps:
        played.runs.clear()
        drop(place, f"{step}.txt", withdrawals(0, 1) + f"# {step}\n")
        point[0], count[0], killed = step, 0, False
        try:
            scan(runs_a_day=99, store=place / f"store{step}", out=place / f"out{step}")
        except Killed:
            killed = True
        point[0] = 0
        scan(runs_a_day=99, store=place / f"store{step}", out=place / f"out{step}")
        assert len(played.runs) == 1, step
        lines = [line.event.event for line in Ledger(place / f"store{step}").lines()]
        assert lines == EVENTS, step
        states = [
            json.loads(path.read_text())["state"] for path in (place / f"out{step}").glob("requests/*/state.json")
        ]
        assert states == ["done"], step
        (place / "inbox" / f"{step}.txt").unlink()
        if not killed:
            break
    assert step > 10
