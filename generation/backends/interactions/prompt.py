"""The text that goes to Omni: the customer's, without role tags, after a line that names the roles.

Omni reads in the text which image plays which part. A customer's own tag would bind an image anew
or reach for "previous" material, so all of them are taken out.
"""

from __future__ import annotations

import re

from generation.backends.google.errors import not_taken

# Google's prompt guide for Omni: the roles, the names of the material, and a line that binds them.
_TAGS = re.compile(
    r"<\s*(?:FIRST_FRAME|LAST_FRAME|PREVIOUS_VIDEO|(?:IMAGE_REF|VIDEO_REF|VIDEO)_\d+)\s*>"
    r"|@(?:Image|Video)\d+"
    r"|\[\s*#[^\]]*\]",
    re.IGNORECASE,
)
_ROLES = {
    0: "",
    1: "[# Sources <FIRST_FRAME>@Image1]\n",
    2: "[# Sources <FIRST_FRAME>@Image1 <LAST_FRAME>@Image2]\n",
    3: "[# References <IMAGE_REF_0>@Image1 <IMAGE_REF_1>@Image2 <IMAGE_REF_2>@Image3]\n",
}


def prompt_text(prompt: str, images: int) -> str:
    """The text for 0 to 3 images. Raises Rejected when tags are all that the customer wrote."""
    said = without_tags(prompt)
    if not said:
        raise not_taken("the prompt is empty without its role tags")
    return _ROLES[images] + said


def without_tags(prompt: str) -> str:
    """``prompt`` without role tags, nor those that appear when another one goes.

    A pass takes out one tag at least, so that a thousand characters need a hundred at most.
    """
    found = 1
    while found:
        prompt, found = _TAGS.subn("", prompt)
    return prompt.strip()
