from __future__ import annotations

import re

import pytest
from release_example import write_keys, write_release
from studio_client import Visitor, words


@pytest.fixture
def site(tmp_path):
    """A visitor of a site with a revised bundle, a store, and the key that signs."""
    bundle = write_release(tmp_path / "bundle")
    visitor = Visitor(work=tmp_path / "work", bundle=bundle, store=tmp_path / "store")
    give_keys(visitor, tmp_path)
    return visitor


def give_keys(site, folder):
    """Give Ada and Grace a key each."""
    site.private, site.public = write_keys(folder)
    site.other, _ = write_keys(folder, "other")


def act(site, what, who="Ada", why="because", **fields):
    files = {"key": ("key.pem", site.private.read_bytes())}
    if who == "Grace":
        files = {"key": ("key.pem", site.other.read_bytes()), "public_key": ("key.pub", site.public.read_bytes())}
    given = {"bundle": "given", **fields}
    return site.act(
        f"/release/{what}", {"seen": seen(site, given["bundle"]), "who": who, "why": why, **given}, files=files
    )


def seen(site, bundle="given"):
    found = re.search(r'name="seen" value="([^"]*)"', site.get("/release", params={"bundle": bundle}).text)
    return found[1] if found else ""


def lines(site):
    from monai_unlearn.release.store import Store

    return [line.event for line in Store(site.studio.settings.store).ledger.lines()]


def test_a_release_is_prepared_by_one_and_approved_by_another(site):
    assert act(site, "sign").headers["location"] == "/release?bundle=given&done=sign"
    same = act(site, "promote", who=" ada ")
    assert same.status_code == 422
    assert "somebody else must approve it" in words(same.text)
    with_ones_key = act(site, "promote", who="Grace Hopper")
    assert with_ones_key.status_code == 422
    assert "with the same key" in words(with_ones_key.text)
    assert act(site, "promote", who="Grace").headers["location"] == "/release?bundle=given&done=promote"
    assert [(line.event, line.who, line.why) for line in lines(site)] == [
        ("sign", "Ada", "because"),
        ("promote", "Grace", "because"),
    ]
    page = words(site.get("/release?done=promote").text)
    assert "Deployed. The ledger has a line for it." in page
    assert "Prepared by Ada" in page
    assert "Deployed: Some-1.1.0" in page


def test_a_signature_that_is_checked_on_deploying_speaks_against_nothing(site):
    assert "there is no signature" in words(site.get("/release").text)
    act(site, "sign")
    page = words(site.get("/release").text)
    assert "was not checked" not in page
    assert "Nothing speaks against deploying it" in page


def test_who_revised_is_recorded_and_does_not_approve(site):
    assert act(site, "unlearn", who="Grace").headers["location"] == "/release?bundle=given&done=unlearn"
    act(site, "sign")
    page = words(site.get("/release?done=unlearn").text)
    assert "Recorded. The ledger has a line for it." in page
    assert "Prepared by Grace, Ada" in page
    refused = act(site, "promote", who="Grace")
    assert refused.status_code == 422
    assert "prepared this bundle, by the ledger" in words(refused.text)
    assert [(line.event, line.who) for line in lines(site)] == [("unlearn", "Grace"), ("sign", "Ada")]


def test_what_nobody_signed_here_is_not_approved(site):
    answer = act(site, "promote", who="Grace", override="yes")
    assert answer.status_code == 422
    assert "signs it here first" in words(answer.text)
    assert lines(site) == []


@pytest.mark.parametrize("what", ["unlearn", "sign", "promote", "reject", "rollback"])
@pytest.mark.parametrize("missing", ["who", "why"])
def test_every_act_needs_a_name_and_a_reason(site, what, missing):
    answer = act(site, what, **{missing: "  "})
    assert answer.status_code == 422
    assert "is missing: fill it in. Nothing was changed." in words(answer.text)
    assert lines(site) == []


def test_every_act_needs_a_key(site):
    for what in ("unlearn", "sign", "promote", "reject", "rollback"):
        answer = site.act(f"/release/{what}", {"bundle": "given", "who": "Ada", "why": "because"})
        assert "no key file was chosen" in words(answer.text)
        wrong = {"key": ("key.pem", b"no key")}
        answer = site.act(f"/release/{what}", {"bundle": "given", "who": "Ada", "why": "because"}, files=wrong)
        assert answer.status_code == 422
    assert lines(site) == []


def test_what_is_not_accepted_is_deployed_only_against_objections_that_the_ledger_keeps(tmp_path):
    bundle = write_release(tmp_path / "bundle", verdict="different")
    site = Visitor(work=tmp_path / "work", bundle=bundle, store=tmp_path / "store")
    give_keys(site, tmp_path)
    act(site, "sign")
    assert "its verdict is different" in words(site.get("/release").text)
    refused = act(site, "promote", who="Grace")
    assert refused.status_code == 422
    assert [line.event for line in lines(site)] == ["sign"]
    assert act(site, "promote", who="Grace", override="yes", why="the board decided").status_code == 303
    assert "its verdict is different" in str(lines(site)[-1].overridden)
    assert "OVERRIDDEN: the board decided" in words(site.get("/release").text)


def test_a_rejection_and_a_refused_roll_back(site):
    act(site, "sign")
    assert act(site, "reject", why="too many false negatives").status_code == 303
    assert lines(site)[-1].event == "reject"
    assert "no version was deployed before" in words(act(site, "rollback").text)


def test_a_replayed_act_does_nothing(site):
    ticket, page = site.studio.session.ticket("/release/sign"), seen(site)
    for status in (303, 403):
        files = {"key": ("key.pem", site.private.read_bytes())}
        fields = {"ticket": ticket, "seen": page, "bundle": "given", "who": "Ada", "why": "because"}
        assert site.post("/release/sign", fields, files=files).status_code == status
    assert len(lines(site)) == 1


def test_ledger_and_bundle_are_checked(site):
    act(site, "sign")
    files = {"public_key": ("key.pub", site.public.read_bytes())}
    assert "Ledger: 1 lines, no faults. Bundle (the bundle in use): no faults." in words(
        site.post("/release/check", {"bundle": "given"}, files=files).text
    )
    (site.studio.settings.bundle / "LICENSE").write_text("changed")
    assert "Bundle (the bundle in use): no faults" not in words(
        site.post("/release/check", {"bundle": "given"}, files=files).text
    )


def test_other_acts_and_other_places_are_refused(site):
    assert act(site, "delete").status_code == 422
    assert act(site, "sign", bundle="../../etc").status_code == 422
    without = Visitor(work=site.studio.settings.work)
    assert "--store DIR" in without.get("/release").text
    assert "--store DIR" in without.act("/release/sign", {"who": "a", "why": "b"}).text


def test_a_page_stays_with_its_bundle(site):
    from urllib.parse import parse_qs, urlsplit

    run = site.studio.workspace.runs / "mine" / "run" / "revised_bundle"
    run.parent.mkdir(parents=True)
    write_release(run, seed=1)
    name = "mine, accepted"
    act(site, "reject")  # begins the ledger
    files = {"public_key": ("key.pub", site.public.read_bytes())}
    page = site.post("/release/check", {"bundle": name}, files=files).text
    assert "Bundle (mine, accepted):" in words(page)
    assert 'name="bundle" value="given"' not in page
    assert page.count(f'name="bundle" value="{name}"') >= 4
    after = act(site, "sign", bundle=name).headers["location"]
    assert parse_qs(urlsplit(after).query) == {"bundle": [name], "done": ["sign"]}
    assert 'name="bundle" value="given"' not in site.get(after).text


def test_an_act_is_about_what_stood_on_the_page(site):
    page = seen(site)
    assert act(site, "reject").status_code == 303
    late = act(site, "sign", seen=page)
    assert late.status_code == 409
    assert "Look at what was done since" in words(late.text)
    page = seen(site)
    assert act(site, "sign", seen=page.replace("sha256:", "sha256:0")).status_code == 409
    assert act(site, "sign", seen=f"{page}0").status_code == 409
    assert act(site, "sign", seen="").status_code == 409
    assert [line.event for line in lines(site)] == ["reject"]
    # A ticket of one act is none of another.
    ticket = site.studio.session.ticket("/release/reject")
    assert act(site, "sign", ticket=ticket).status_code == 403


def test_a_roll_back_says_to_what_and_two_tabs_do_it_once(site):
    act(site, "sign")
    act(site, "promote", who="Grace")
    assert "Roll back" not in words(site.get("/release").text)
    newer = site.studio.workspace.runs / "newer" / "run" / "revised_bundle"
    newer.parent.mkdir(parents=True)
    write_release(newer, version="1.2.0", seed=1)
    act(site, "sign", bundle="newer, accepted")
    assert act(site, "promote", who="Grace", bundle="newer, accepted").status_code == 303
    assert "Deploys Some 1.1.0 again" in words(site.get("/release").text)
    page = seen(site)
    assert act(site, "rollback", seen=page).status_code == 303
    assert act(site, "rollback", seen=page).status_code == 409
    assert [line.event for line in lines(site)].count("rollback") == 1


@pytest.mark.parametrize("damaged", [0, 1, 2])
def test_a_ledger_that_cannot_be_read_is_named_and_nothing_is_decided(site, damaged):
    for what in ("unlearn", "sign", "reject"):
        assert act(site, what).status_code == 303
    page = seen(site)
    path = site.studio.settings.store / "ledger.jsonl"
    written = path.read_text().splitlines(keepends=True)
    path.write_text("".join("{\n" if number == damaged else line for number, line in enumerate(written)))
    answer = site.get("/release")
    assert answer.status_code == 200
    assert "The ledger cannot be read, so nothing can be decided here." in words(answer.text)
    assert f"line {damaged + 1}: expected a line of a ledger" in words(answer.text)
    assert '<fieldset class="acts" disabled>' in answer.text
    before = path.read_bytes()
    for what in ("unlearn", "sign", "promote", "reject", "rollback"):
        assert act(site, what, seen=page).status_code == 422
    assert path.read_bytes() == before
    checked = words(site.post("/release/check", {"bundle": "given"}).text)
    assert "What the check found" in checked
    assert "Ledger: 3 lines, no faults" not in checked


def test_who_started_a_revision_is_noted_on_signing_and_does_not_approve(site):
    run = site.studio.workspace.runs / "mine" / "run" / "revised_bundle"
    run.parent.mkdir(parents=True)
    write_release(run, seed=1)
    (run.parent.parent / "job.json").write_text('{"who": "Grace"}')
    name = "mine, accepted"
    page = site.get("/release", params={"bundle": name}).text
    assert "Grace revised it, by the form that started it" in words(page)
    assert 'id="unlearn-who" name="who" value="Grace"' in page
    assert act(site, "sign", bundle=name).status_code == 303
    assert [(line.event, line.who) for line in lines(site)] == [("unlearn", "Grace"), ("sign", "Ada")]
    refused = act(site, "promote", who="Grace", bundle=name)
    assert "prepared this bundle, by the ledger" in words(refused.text)
    # Once: the line is there.
    assert act(site, "sign", bundle=name).status_code == 303
    assert [line.event for line in lines(site)] == ["unlearn", "sign", "sign"]
