from __future__ import annotations

import os
import signal
import threading

import pytest

from monai_unlearn.watch.stopping import stopped_by_signal


def test_sigterm_ends_the_block_and_nothing_else():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="0"), stopped_by_signal():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_nothing_is_changed():
    found = []

    def work():
        with stopped_by_signal():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]
