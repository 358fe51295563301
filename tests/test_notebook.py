from __future__ import annotations

from monai_unlearn.notebook import framed, items, paragraph, table

HOSTILE = "<script>alert('x')</script>"


def test_whatever_comes_from_data_is_escaped():
    shown = "".join(
        [
            paragraph(HOSTILE),
            paragraph(HOSTILE, bold=True),
            items([HOSTILE]),
            table(HOSTILE, [HOSTILE], [(HOSTILE, 1234, None)]),
        ]
    )
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 6
    assert "<td>1,234</td><td>–</td>" in shown


def test_nothing_is_shown_of_no_texts():
    assert items([]) == ""


def test_a_page_stays_within_its_frame():
    shown = framed(f'<style>p {{color: red}}</style><p class="a">\x1b{HOSTILE}</p>')
    assert shown.startswith('<iframe sandbox=""')
    assert "<style" not in shown
    assert 'class="a"' not in shown  # it would end the attribute
    assert "\x1b" not in shown
