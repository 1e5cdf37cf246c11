"""What a sentence denies, and whether it says better or worse."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,]\d+)?|[;,.:]")
_OPENS = frozenset(
    {
        "no", "not", "never", "without", "denies", "denied", "deny", "denying", "negative", "absent",
        "neither", "nor", "cannot", "none", "free", "lacks", "lacking",
        "kein", "keine", "keinen", "ohne", "nicht",
    }
)  # fmt: skip
_OPENS_WITH_NEXT = {"free": "of", "negative": "for", "absent": ""}
_CLOSES = frozenset(
    {
        "but", "however", "although", "though", "except", "yet", "apart", "despite", "because", "since",
        ";", ":",
    }
)  # fmt: skip
_AFTER = re.compile(
    r"\b(?:(?:was|were|is|are|has been|have been) (?:ruled out|excluded|absent|negative|not seen|resolved)"
    r"|unlikely)\b",
    re.IGNORECASE,
)
_ADVERB_AFTER_NOT = frozenset({"only", "just", "yet", "merely"})
_WORSE = re.compile(
    r"\b(?:wors\w+|progress(?:ed|ing|ion|ive\w*)|increas\w+|declin\w+|deteriorat\w+|enlarg\w+|new(?:ly)?"
    r"|recurr\w+|rising|growing|grown|falling|lost)\b",
    re.IGNORECASE,
)
_BETTER = re.compile(
    r"\b(?:improv\w+|better|resol\w+|decreas\w+|regress\w+|stable|unchanged|recover\w+|stronger|clear(?:ed|ing)?"
    r"|normal\w*)\b",
    re.IGNORECASE,
)


def words_with_negation(text: str) -> list[tuple[str, bool]]:
    """Each word in lower case, and True where it stands in the scope of a negation.

    The scope runs from the negating word to the end of the clause, as in NegEx (Chapman et al. 2001,
    J Biomed Inform 34:301); a finding that is denied afterwards ("pneumonia was ruled out") is negated whole.

    Args:
        text: One sentence.
    """
    denied_after = bool(_AFTER.search(text))
    marked: list[tuple[str, bool]] = []
    scope = False
    words = [word.lower() for word in _WORD.findall(text)]
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word in _CLOSES or word == ".":
            scope = False
        elif _opens(word, following):
            scope = True
            marked.append((word, False))
        elif word[0].isalnum():
            marked.append((word, scope or denied_after))
    return marked


def is_negated(text: str) -> bool:
    """True when the sentence denies something."""
    return any(negated for _, negated in words_with_negation(text))


def trend(text: str) -> tuple[bool, bool]:
    """Whether the sentence speaks of getting worse, and of getting better or staying well."""
    return bool(_WORSE.search(text)), bool(_BETTER.search(text))


def _opens(word: str, following: str) -> bool:
    if word not in _OPENS and not word.endswith("n't"):
        return False
    if word in _OPENS_WITH_NEXT:
        return following == _OPENS_WITH_NEXT[word]
    return following not in _ADVERB_AFTER_NOT
