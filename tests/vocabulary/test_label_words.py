from __future__ import annotations

from monai_unlearn.evaluation.label_states import absent_states
from monai_unlearn.vocabulary.label_words import absent


def test_states_of_labels_are_called_by_it():
    assert absent_states(["edema", "mass"]) == (absent("edema"), absent("mass")) == ("no edema", "no mass")
