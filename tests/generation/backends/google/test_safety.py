"""Support codes become a category and a sentence."""

from __future__ import annotations

import pytest

from generation.backends.google.safety import (
    CATEGORIES,
    filtered,
    reads_like_a_refusal,
    support_codes,
)


def test_no_code_has_two_categories() -> None:
    codes = [code for _, listed in CATEGORIES.values() for code in listed]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("category", "code"),
    [(word, code) for word, (_, codes) in CATEGORIES.items() for code in codes],
)
def test_every_code_is_told_in_words(category: str, code: str) -> None:
    error = filtered("video", [f"Your prompt was blocked. Support codes: {code}"])
    assert (error.code, error.category, error.support_codes) == (
        "content_filtered",
        category,
        (code,),
    )
    assert str(error).startswith("The provider's safety filter stopped this video: ")
    assert CATEGORIES[category][0] in str(error)
    assert code not in str(error)


def test_the_first_known_code_counts() -> None:
    error = filtered("video", ["Support codes: 11111111, 61493863", "Support codes: 90789179"])
    assert error.category == "violence"
    assert error.support_codes == ("11111111", "61493863", "90789179")


def test_numbers_that_are_no_codes_are_not_taken_for_codes() -> None:
    assert support_codes("request 12345678 of project 123456149386301") == ()


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("The prompt contains sensitive words that violate Responsible AI practices.", True),
        ("This violates Google's usage guidelines", True),
        ("It was blocked by the safety filters", True),
        ("Unsupported aspect ratio 3:2", False),
        ("Constraint of the organisation policy violated", False),
        ("", False),
    ],
)
def test_wording(text: str, refused: bool) -> None:
    assert reads_like_a_refusal(text) is refused


def test_words_of_the_image_models() -> None:
    error = filtered("image", [], ["", "IMAGE_SAFETY", "HARM_CATEGORY_HARASSMENT", "NEW"])
    assert (error.category, error.support_codes) == ("toxic", ())
    assert "this image: toxic language" in str(error)
    assert filtered("image", [], ["SOMETHING_NEW"]).category == "other"


@pytest.mark.parametrize(
    ("texts", "words", "category"),
    [
        # a code goes before a word, whatever the text speaks of
        (["audio. Support codes: 61493863"], [], "violence"),
        (["Support codes: 61493863"], ["HARM_CATEGORY_HATE_SPEECH"], "violence"),
        (["Support codes: 29578790"], ["HARM_CATEGORY_HATE_SPEECH"], "hate"),
        (["Support codes: 29578790, 90789179"], [], "sexual"),
        (["Support codes: 99999999. The audio was blocked."], [], "other"),
        (["There was a problem with the Audio of your video."], [], "audio"),
        (["The audio track", "Support codes: 57734940"], [], "hate"),
        (["hate speech is not allowed"], [], "other"),
        ([], [], "other"),
    ],
)
def test_what_names_the_reason(texts: list[str], words: list[str], category: str) -> None:
    error = filtered("video", texts, words)
    assert (error.code, error.category) == ("content_filtered", category)
    assert error.retryable == (category == "audio")
    assert all(said in error.detail for said in (*texts, *words))
