"""Print the records of the methods that a cohort can be forgotten by, as JSON, for processes that never load torch."""

from monai_unlearn.methods import registered
from monai_unlearn.terminal import json_text, say

if __name__ == "__main__":
    # What composes two revisions revises nothing by itself.
    found = {name: info.to_dict() for name, (info, _) in registered().items() if not info.composes}
    say(json_text(found))
