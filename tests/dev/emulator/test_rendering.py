from __future__ import annotations

import io
import threading

import pytest
from PIL import Image

from dev.emulator.render_image import Still, pixels, render_image
from dev.emulator.render_video import Clip, RenderingStoppedError, render_video
from dev.emulator.samples import SIZES, draw
from tests.dev.emulator.pictures import BLUE, RED, color_at, difference, plain_image, probe

PROMPT = "A paper boat drifting down a rainy street at dusk"


def render(clip: Clip) -> bytes:
    return render_video(clip, threading.Event())


def test_a_video_is_eight_seconds_of_h264_and_aac_that_move():
    data = render(Clip(PROMPT, (320, 180), 8, 1))
    found = probe(data)
    assert found["codecs"] == ("h264", "aac")
    assert found["channels"] == 2
    assert found["rate"] == 24
    assert found["seconds"] == pytest.approx(8, abs=0.05)
    assert found["frames"] == 192
    assert found["size"] == (320, 180)
    assert difference(found["first"], found["middle"]) > 4
    assert difference(found["middle"], found["last"]) > 4
    assert data.index(b"moov") < data.index(b"mdat")  # plays before it is fully loaded


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_silent_video_has_no_sound_track(codec: str):
    found = probe(render(Clip(PROMPT, (160, 90), 4, 1, sound=False, codec=codec)))
    assert found["codecs"] == (codec,)
    assert found["seconds"] == pytest.approx(4, abs=0.05)


def test_the_same_request_gives_the_same_file_and_a_seed_another():
    clip = Clip(PROMPT, (90, 160), 4, 1)
    first = render(clip)
    assert render(clip) == first
    assert render(Clip(PROMPT, (90, 160), 4, 2)) != first


def test_a_video_begins_with_the_first_image_and_ends_with_the_last():
    clip = Clip(PROMPT, (320, 180), 4, 1, first=plain_image(RED), last=plain_image(BLUE))
    found = probe(render(clip))
    assert color_at(found["first"], 0.5, 0.9) == pytest.approx(RED, abs=12)
    assert color_at(found["last"], 0.5, 0.3) == pytest.approx(BLUE, abs=12)


def test_rendering_stops_at_once_when_asked():
    stop = threading.Event()
    stop.set()
    with pytest.raises(RenderingStoppedError):
        render_video(Clip(PROMPT, (320, 180), 8, 1), stop)


@pytest.mark.parametrize("ratio", ["1:1", "3:2", "2:3"])
def test_pictures_have_the_asked_ratio(ratio: str):
    width, height = (int(part) for part in ratio.split(":"))
    with Image.open(io.BytesIO(render_image(Still(PROMPT, pixels(ratio, "1K", 0.25))))) as picture:
        assert picture.format == "PNG"
        assert picture.width / picture.height == pytest.approx(width / height, abs=0.01)


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_sample_images_are_pictures(kind: str):
    with Image.open(io.BytesIO(draw("portrait", kind))) as picture:
        assert picture.size == SIZES["portrait"]
        assert len(set(picture.convert("RGB").resize((20, 20)).get_flattened_data())) > 20
