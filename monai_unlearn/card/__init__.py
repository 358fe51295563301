"""The model-card difference: one canonical document, and what is rendered from it. Renderers never load torch."""

import lazy_loader

# In the stub, so that a card can be shown without the registered metrics, which need torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
