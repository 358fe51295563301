"""Which request of a page is its last one: what was typed before is no longer asked for."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_PAGES = 1_000


class OutdatedError(Exception):
    """A later request of the same page came before this one had its turn."""


@dataclass(frozen=True)
class Turns:
    """The last request of each page.

    >>> turns = Turns()
    >>> first, other = turns.take("a"), turns.take("b")
    >>> first(), other()
    (True, True)
    >>> second = turns.take("a")
    >>> first(), second(), other()
    (False, True, True)
    """

    _last: OrderedDict[str, int] = field(default_factory=OrderedDict, repr=False)
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def take(self, page: str) -> Callable[[], bool]:
        """Note a request, and return what tells whether it is still the last one of its page.

        Args:
            page: What tells a page from others; pages that tell nothing are all outdated by none.
        """
        if not page:
            return lambda: True
        number = next(self._numbers)
        self._last[page] = number
        self._last.move_to_end(page)
        while len(self._last) > _MOST_PAGES:
            self._last.popitem(last=False)
        return lambda: self._last.get(page, number) == number
