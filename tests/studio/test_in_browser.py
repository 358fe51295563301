"""The studio in a real browser, as a user walks it: by keyboard, on a phone and on a wide screen, in two tabs."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from browser import chromium
from card_example import rich
from linked_points import write_points
from played_revision import played_revision
from release_example import write_keys, write_release
from studio_client import MARKUP, SECRETS, studio_index
from studio_process import studio_process

PHONE, DESKTOP, WALL = {"width": 390, "height": 844}, {"width": 1280, "height": 900}, {"width": 2560, "height": 1300}
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".table, .skip, svg, .editor, pre"))
  .map(one => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def running(tmp_path_factory, browser):
    folder = tmp_path_factory.mktemp("browser")
    studio_index(folder / "index")
    # One to release, and one whose card has everything that a page can show.
    card = write_release(folder / "work" / "runs" / "rich" / "run" / "revised_bundle")
    (card / "docs" / "model_card_diff.json").write_text(json.dumps(rich()), encoding="utf-8")
    write_points(folder / "work" / "runs" / "rich" / "run")
    write_release(folder / "bundle")
    write_keys(folder)
    write_keys(folder, "other")
    words = [word for name in ("index", "work", "bundle", "store") for word in (f"--{name}", str(folder / name))]
    with studio_process(*words, folder=folder) as found:
        found.work, found.revisions = folder / "work", 0
        found.key, found.other = folder / "key.pem", folder / "other.pem"
        yield found


@pytest.fixture(scope="module")
def context(browser, running):
    """One browser in which the link was opened; what it asks for and complains of is kept."""
    found = browser.new_context(viewport=DESKTOP)
    found.asked, found.complaints = [], []
    found.on("request", lambda request: found.asked.append(request.url))
    found.on("console", lambda said: found.complaints.append(said.text) if said.type == "error" else None)
    found.on("weberror", lambda error: found.complaints.append(str(error.error)))
    found.set_default_timeout(20_000)
    page = found.new_page()
    page.goto(running.link)
    assert page.url == f"{running.origin}/cohort"
    page.close()
    yield found
    found.close()


@pytest.fixture
def page(context, running):
    found = context.new_page()
    found.goto(f"{running.origin}/cohort")
    yield found
    found.close()


def headline(page, said):
    page.locator("#preview .headline", has_text=said).wait_for()


def test_a_camera_is_retired_from_the_first_page_to_the_frozen_cohort(page):
    page.get_by_label("Retire a camera or scanner").select_option("Old")
    page.get_by_role("button", name="Write the spec").click()
    headline(page, "4 images of 2 patients would be forgotten")
    assert page.get_by_role("img", name="How many images are left after each rule").is_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved.").wait_for()
    page.locator("#difference", has_text="No image changes its part.").wait_for()
    page.get_by_role("button", name="Freeze the cohort as saved").click()
    page.get_by_text("Frozen: the cohort will not change any more").wait_for()


def test_a_fault_stands_under_its_line_and_is_marked_in_it(page):
    text = page.get_by_label("Text of the spec")
    text.fill("schema_version: 1\nname: a\nreason: other\nforget: device == Old\nfoo: 1\n")
    fault = page.locator("#faults li")
    fault.get_by_text("unknown key 'foo'").wait_for()
    mark = page.locator(".marks span")
    box, line = mark.bounding_box(), text.bounding_box()
    assert 25 < box["width"] < 40  # three letters
    assert 95 < box["y"] - line["y"] < 130  # the fifth line
    page.get_by_role("button", name="Line 5").click()
    assert text.evaluate("one => one.selectionStart") == 62
    text.fill("schema_version: 1\nname: a\nreason: other\nforget: device == Old\n")
    headline(page, "4 images")
    assert fault.count() == 0
    assert mark.count() == 0


def test_suggestions_are_taken_by_keyboard(page):
    text = page.get_by_label("Text of the spec")
    text.fill("schema_version: 1\nname: a\nreason: other\nforget: ")
    text.press_sequentially("device == N")
    suggestion = page.get_by_role("button", name="New 6 images")
    suggestion.wait_for()
    text.press("Alt+ArrowDown")
    assert suggestion.evaluate("one => one === document.activeElement")
    page.keyboard.press("Escape")
    assert text.evaluate("one => one === document.activeElement")
    text.press("Alt+ArrowDown")
    page.keyboard.press("Enter")
    assert text.input_value().endswith("forget: device == New")
    headline(page, "6 images of 3 patients would be forgotten")


RICH = "rich, accepted"


def test_an_image_is_marked_in_every_network_and_a_threshold_moves_both_rates(page, running):
    page.goto(f"{running.origin}/evidence?bundle={RICH}")
    page.get_by_label("Image number").fill("2")
    assert page.get_by_text("Image 2: part kept, class b, device New, age band 40-59.").is_visible()
    assert page.locator(".linked .chosen").count() == 3
    page.get_by_label("Part", exact=True).select_option("kept")
    assert page.locator(".linked .faint").count() == 3
    page.get_by_label("Device", exact=True).select_option("New")
    assert page.locator(".linked .faint").count() == 6
    # Chosen in one, where it lies elsewhere than in the others.
    page.locator(".linked svg").nth(1).locator(".other").nth(1).click(force=True)
    assert page.get_by_text("Image 3: part kept, class a, device unknown, age band 80+.").is_visible()
    page.get_by_label("Threshold, from strict to lenient").fill("1")
    assert page.locator("#false-rate").inner_text() == "50.0 %"
    assert "60.0 %" in page.locator("#attack .true-rate").first.inner_text()


def test_a_release_is_signed_by_one_and_deployed_by_another(page, running):
    page.goto(f"{running.origin}/release?bundle=given")

    def act(name, who, key=running.key):
        form = page.locator(f"form[action='/release/{name}']")
        form.get_by_label("Name of who").fill(who)
        form.get_by_label("Reason, which the ledger keeps").fill("as agreed")
        form.get_by_label("Your private key, a file in PEM").set_input_files(key)
        if key != running.key:
            form.get_by_label("Public key of who signed it").set_input_files(running.key.with_suffix(".pub"))
        form.locator("button").click()

    act("sign", "Ada")
    page.get_by_text("Signed. The ledger has a line for it.").wait_for()
    act("promote", "ada")
    page.get_by_text("somebody else must approve it").wait_for()
    page.goto(f"{running.origin}/release?bundle=given")
    act("promote", "Grace", running.other)
    page.get_by_text("Deployed. The ledger has a line for it.").wait_for()
    assert page.get_by_role("cell", name="promote").is_visible()


def test_nothing_overflows_from_a_phone_to_a_wall(page, running):
    page.get_by_label("Retire a camera or scanner").select_option("Old")
    page.get_by_role("button", name="Write the spec").click()
    headline(page, "4 images")
    for size in (PHONE, DESKTOP, WALL):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.evaluate(TOO_WIDE) == []
    for path in (f"evidence?bundle={RICH}", "release?bundle=given", "revise"):
        page.goto(f"{running.origin}/{path}")
        for size in (PHONE, DESKTOP, WALL):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
            assert page.evaluate(TOO_WIDE) == [], path
    page.emulate_media(media="print")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_axe_finds_no_violation(browser, running):
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python, which holds axe-core, is missing")
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(running.link)
    page.goto(f"{running.origin}/cohort?device=Old")
    headline(page, "4 images")
    page.get_by_label("Text of the spec").press("End")
    page.get_by_label("Text of the spec").press_sequentially("\nfoo: ")
    page.locator("#faults li").first.wait_for()
    for path in (None, "revise", "release?bundle=given", f"evidence?bundle={RICH}"):
        if path is not None:
            page.goto(f"{running.origin}/{path}")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.evaluate(axe)
        for size, scheme in ((PHONE, "dark"), (DESKTOP, "light")):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("axe.run()")
            violations = [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in found["violations"]]
            assert violations == [], (path, size, scheme)
            assert len(found["passes"]) > 20
    context.close()


def test_names_from_tags_and_labels_are_text(page):
    page.get_by_label("Retire a camera or scanner").select_option(MARKUP)
    page.get_by_role("button", name="Write the spec").click()
    headline(page, "1 image of 1 patient would be forgotten")
    assert MARKUP in page.locator("#preview").inner_text()
    assert page.locator("#preview img, #preview script").count() == 0
    assert not any(secret in page.content() for secret in SECRETS)


def test_two_tabs_do_not_overwrite_each_other(page, context, running):
    def opened(tab, comment):
        text = tab.get_by_label("Text of the spec")
        text.fill(f"schema_version: 1\nname: tabs\nreason: other\nforget: device == Old\n# {comment}\n")
        headline(tab, "4 images")
        return tab.get_by_role("button", name="Save", exact=True)

    other = context.new_page()
    other.goto(f"{running.origin}/cohort")
    late = opened(page, "late")
    opened(other, "first").click()
    other.get_by_text("Saved.").wait_for()
    late.click()
    page.get_by_text("was saved before, by another tab").wait_for()
    assert "# late" in page.get_by_label("Text of the spec").input_value()
    other.close()


def test_what_was_typed_is_there_again_after_the_browser_closed(page, context, running):
    page.get_by_label("Text of the spec").fill("forget: (((")
    page.locator("#faults li").first.wait_for()
    page.close()
    again = context.new_page()
    again.goto(f"{running.origin}/cohort")
    assert again.get_by_label("Text of the spec").input_value() == "forget: ((("
    again.get_by_role("button", name="Discard what is not saved").click()
    assert "my-cohort" in again.get_by_label("Text of the spec").input_value()
    again.close()


@pytest.fixture
def run(running):
    """A revision that runs, with a name of its own."""
    running.revisions += 1
    with played_revision(running.work / "runs", f"played-{running.revisions}") as found:
        yield found


def at_step(page, number):
    page.get_by_text(f"Unlearning: step {number} of 10").wait_for()
    assert page.locator("#progress").get_attribute("value") == str(number)


def test_progress_goes_on_through_a_lost_connection_in_two_tabs_and_while_no_page_is_open(page, context, running, run):
    address = f"{running.origin}/revise?run={run.folder.name}"
    page.goto(address)
    assert page.get_by_text("It reads images, and takes no step yet.").is_visible()
    assert page.get_by_text("Revised by Ada.").is_visible()
    run.step(1)
    at_step(page, 1)
    other = context.new_page()
    other.route("**/revise/events*", lambda route: route.abort())
    other.goto(address)
    other.get_by_text("The studio does not answer.").wait_for()
    run.step(4)
    other.unroute("**/revise/events*")
    at_step(other, 4)  # it asks again by itself
    other.locator("#lost").wait_for(state="hidden")
    at_step(page, 4)
    other.close()
    page.close()
    run.step(7)
    again = context.new_page()
    again.goto(f"{running.origin}/revise")
    at_step(again, 7)
    again.get_by_text("What it prints").click()
    assert again.locator("#log").inner_text().count("Unlearning: step") == 3
    assert run.process.poll() is None
    again.close()


def test_a_revision_is_cancelled_and_can_be_resumed(page, running, run):
    page.goto(f"{running.origin}/revise?run={run.folder.name}")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("It is: stopped").wait_for()
    assert page.get_by_role("button", name="Resume").is_visible()
    assert run.process.wait(timeout=60) == 130


def test_a_killed_revision_is_noticed_and_can_be_resumed(page, running, run):
    page.goto(f"{running.origin}/revise?run={run.folder.name}")
    run.step(2)
    at_step(page, 2)
    run.kill()
    page.get_by_text("something killed it").wait_for()
    assert page.get_by_text("It is: killed").is_visible()
    assert page.get_by_role("button", name="Resume").is_visible()


def test_an_old_tab_says_that_nothing_is_kept_after_a_restart(browser, running):
    context = browser.new_context()
    page = context.new_page()
    page.goto(running.link)
    text = page.get_by_label("Text of the spec")
    text.fill("forget: (")
    page.locator("#faults li").first.wait_for()
    # As after a restart, whose cookie is another one.
    context.clear_cookies()
    text.fill("forget: ((")
    page.get_by_text("it keeps nothing of this page any more").wait_for()
    text.fill("forget: (((")
    page.wait_for_timeout(1_000)
    assert page.locator("#refused").is_visible()
    context.close()


def test_only_the_studio_was_asked_and_the_policy_stopped_nothing(page, context, running):
    # Every page once here: the tests before may have run in another process. Theirs counts too where they did not.
    for path in (f"evidence?bundle={RICH}", "release?bundle=given", "revise"):
        page.wait_for_load_state("networkidle")
        page.goto(f"{running.origin}/{path}")
        assert page.url in context.asked
    assert {url for url in context.asked if not url.startswith(f"{running.origin}/")} == set()
    # A refused save is answered with an error's status, which a browser notes, as it does a connection that was cut,
    # and htmx a request that ended since its page was left.
    noted = ("409", "422", "net::ERR_FAILED", "htmx:sendAbort", "htmx:afterRequest")
    assert [said for said in context.complaints if not any(one in said for one in noted)] == []


def test_a_killed_studio_is_noticed_and_nothing_is_lost_after_a_restart(page, context, browser, running, run):
    # Last: the studio is gone afterwards.
    text = page.get_by_label("Text of the spec")
    text.fill("forget: (((")
    page.locator("#faults li").first.wait_for()
    watching = context.new_page()
    watching.goto(f"{running.origin}/revise?run={run.folder.name}")
    run.step(3)
    at_step(watching, 3)
    running.kill()
    watching.get_by_text("a revision that runs goes on").first.wait_for()
    text.fill("forget: device == Old")
    page.get_by_text("The studio does not answer.").wait_for()
    assert text.input_value() == "forget: device == Old"
    run.step(5)
    with studio_process("--work", str(running.work), folder=running.work.parent) as restarted:
        again = browser.new_page()
        again.goto(restarted.link)
        assert again.get_by_label("Text of the spec").input_value() == "forget: ((("
        again.goto(f"{restarted.origin}/revise")
        at_step(again, 5)
        again.close()
    watching.close()
