"""Who sends many images at once waits for itself, and not others for it."""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path

import pytest
from django.conf import LazySettings

from common.errors import ServiceUnavailable
from generation.inputs import upload_places

ALICE, BOB = uuid.UUID(int=1), uuid.UUID(int=2)
DECODE = 0.1  # seconds


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.WORK_DIR = tmp_path / "work"


class Uploads:
    """Each in a thread; ``order`` has whose turn it was."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.at_once = self.most = 0
        self._threads: list[threading.Thread] = []

    def start(self, name: str, account_id: uuid.UUID, times: int) -> None:
        for _ in range(times):
            self._threads.append(threading.Thread(target=self._upload, args=(name, account_id)))
            self._threads[-1].start()

    def _upload(self, name: str, account_id: uuid.UUID) -> None:
        with upload_places.place(account_id):
            self.order.append(name)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            time.sleep(DECODE)
            self.at_once -= 1

    def end(self) -> None:
        for thread in self._threads:
            thread.join()


def test_one_who_sends_one_is_next() -> None:
    uploads = Uploads()
    uploads.start("alice", ALICE, 8)
    for _ in range(3):
        before = len(uploads.order) + 1
        uploads.start("bob", BOB, 1)
        while "bob" not in uploads.order[before - 1 :]:
            time.sleep(0.01)
        # whoever had the place, and whoever took it while Bob's thread began
        assert uploads.order[before - 1 :].index("bob") <= 1
    uploads.end()
    assert (uploads.order.count("alice"), uploads.most) == (8, 1)


def test_an_account_has_one_place_of_several(settings: LazySettings) -> None:
    settings.UPLOAD_DECODES = 2
    uploads = Uploads()
    uploads.start("alice", ALICE, 3)
    uploads.end()
    assert uploads.most == 1
    uploads.start("alice", ALICE, 2)
    uploads.start("bob", BOB, 2)
    uploads.end()
    assert uploads.most == 2


def test_who_waits_for_itself_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with upload_places.place(ALICE), monkeypatch.context() as hasty:
        hasty.setattr(upload_places, "PLACE_SECONDS", 0.2)
        with pytest.raises(ServiceUnavailable), upload_places.place(ALICE):
            pytest.fail("two places at once")
    with upload_places.place(ALICE):
        pass
