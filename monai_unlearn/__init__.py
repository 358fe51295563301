"""Metadata-driven unlearning for MONAI bundles.

```python
from monai_unlearn import CohortSpec, Index, unlearn

cohort = CohortSpec.read("cohort.yaml").resolve(Index.open("index"))  # shown as tables in a notebook
result = unlearn("bundle", index="index", spec="cohort.yaml", output_dir="revision", reference="retrain")
result.verdict, result.metrics, result.card
```

Importing this package loads neither torch nor monai, nor anything else that is large: names are loaded on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
