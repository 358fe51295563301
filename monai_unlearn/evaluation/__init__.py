"""Measurement: predictions, metrics with intervals, the BatchNorm control, the decision. Loads torch only when used."""

import lazy_loader

# In the stub, so that the verdict can be computed from a table of predictions without torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
