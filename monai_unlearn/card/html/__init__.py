"""The card as one page of HTML that loads and runs nothing."""

from monai_unlearn.card.html.page import to_html

__all__ = ["to_html"]
