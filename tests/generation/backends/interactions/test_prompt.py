"""No text of a customer's plays a role that he was not given."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.backends.base import Rejected
from generation.backends.interactions.prompt import prompt_text, without_tags

TAGS = ["<FIRST_FRAME>", "<last_frame>", "<Image_Ref_0>", "<IMAGE_REF_17>", "<VIDEO_0>"]
TAGS += ["<video_ref_3>", "<PREVIOUS_VIDEO>", "@Image1", "@image23", "@VIDEO2", "< FIRST_FRAME\t>"]
TAGS += ["[# Sources <FIRST_FRAME>@Image1]", "[#]", "[# References\n@Image1]", "[ # x]"]
ANY_TAG = re.compile(
    r"<(first_frame|last_frame|image_ref_\d+|video_\d+|video_ref_\d+|previous_video)>"
    r"|@(image|video)\d|\[#[^\]]*\]",
    re.IGNORECASE,
)


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_goes_and_the_rest_stays(tag: str) -> None:
    assert without_tags(f"a {tag} cat") == "a  cat"


@pytest.mark.parametrize("inner", TAGS)
@pytest.mark.parametrize("outer", ["<FIRST_", "<IMAGE_REF_", "@Ima", "[", "[# a "])
def test_a_tag_that_appears_when_another_goes_goes_too(inner: str, outer: str) -> None:
    rest = {"<FIRST_": "FRAME>", "<IMAGE_REF_": "1>", "@Ima": "ge1", "[": "# a]", "[# a ": "b]"}
    assert ANY_TAG.search(without_tags(f"x {outer}{inner}{rest[outer]} y")) is None


@given(st.lists(st.sampled_from([*TAGS, "<FIRST_", "FRAME>", "[", "#", "]", "@Image", "1", "x"])))
def test_none_is_left_whatever_they_are_made_of(parts: list[str]) -> None:
    assert ANY_TAG.search(without_tags("".join(parts))) is None


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat",
        "a <b>bold</b> cat, 100% @home, #1",
        "[not a line] of roles",
        "<FIRST FRAME>",
        "an image @Imagewhere, an e-mail to me@example.com",
        "日本の猫 🐈",
    ],
)
def test_a_text_without_tags_is_sent_as_it_is(prompt: str) -> None:
    assert prompt_text(prompt, 0) == prompt


@pytest.mark.parametrize("prompt", ["<FIRST_FRAME>", " [# x]\n@Image1 ", "<VIDEO_<VIDEO_1>2>", ""])
def test_nothing_but_tags_is_refused(prompt: str) -> None:
    with pytest.raises(Rejected) as caught:
        prompt_text(prompt, 1)
    assert caught.value.code == "provider_rejected"


def test_the_line_in_front_names_the_roles() -> None:
    assert [prompt_text("x", images) for images in range(4)] == [
        "x",
        "[# Sources <FIRST_FRAME>@Image1]\nx",
        "[# Sources <FIRST_FRAME>@Image1 <LAST_FRAME>@Image2]\nx",
        "[# References <IMAGE_REF_0>@Image1 <IMAGE_REF_1>@Image2 <IMAGE_REF_2>@Image3]\nx",
    ]


def test_the_longest_prompt_is_clean_in_no_time() -> None:
    nested = "<FIRST_" * 75 + "<FIRST_FRAME>" + "FRAME>" * 75
    began = time.process_time()
    for prompt in (nested, "[#" * 500, "<" * 1000, "@Image" * 160):
        without_tags(prompt)
    assert time.process_time() - began < 0.2
    assert without_tags(nested) == ""
