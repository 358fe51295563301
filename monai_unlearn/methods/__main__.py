"""Print the records of the registered methods as JSON, for processes that never load torch themselves."""

from monai_unlearn.methods import registered
from monai_unlearn.terminal import json_text, say

if __name__ == "__main__":
    say(json_text({name: info.to_dict() for name, (info, _) in registered().items()}))
