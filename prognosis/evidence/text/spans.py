"""Where in a note's text each of its sentences stands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prognosis.evidence.text.sentences import Sentence


def sentence_spans(text: str, sentences: Sequence[Sentence]) -> tuple[tuple[int, int], ...]:
    """The first and one past the last character of each sentence of `split_note(text)`, in order.

    text[first:last] is the sentence, but that a sentence broken over lines has its line breaks there, and
    that a run of white space is a single space in the sentence.

    Args:
        text: The note as filed.
        sentences: All of its sentences.
    """
    spans = []
    at = 0
    for sentence in sentences:
        words = r"\s+".join(re.escape(word) for word in sentence.text.split())
        first = r"(?<!\w)" if sentence.text[0].isalnum() else ""
        found = re.compile(first + words).search(text, at)
        if found is None:
            message = f"sentence {sentence.number} is not in the text that it was split from"
            raise ValueError(message)
        at = found.end()
        spans.append(found.span())
    return tuple(spans)
