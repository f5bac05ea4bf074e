"""The tokens of a text: its words, and the trigrams of its words, in any language.

In: text as people write it. Out: tokens, equal wherever the text differs only by case, accents or
the width of characters. No dictionary and no download is needed.
"""

from __future__ import annotations

import re
import unicodedata

# Chinese, Japanese and Korean put no spaces between words: two characters there say what a word
# says elsewhere. One alternative for a run of them, one for any other word.
_PIECES = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)|([^\W_]+)")
_LONGEST = 40
"""Characters of a word that count: what is longer is no word."""


def plain(text: str) -> str:
    """The text in small letters, without accents, characters in their plain width.

    >>> plain("CAFÉ №１")
    'cafe no1'
    """
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join([c for c in parts if unicodedata.category(c)[0] != "M"])
    return unicodedata.normalize("NFKC", kept).lower()


def words(text: str, most: int = 1000) -> list[str]:
    """The first `most` words of a text, or pairs of characters where it has no spaces.

    >>> words("Red kettle, 1.5 l"), words("手机壳")
    (['red', 'kettle', '1', '5', 'l'], ['手机', '机壳'])
    """
    found: list[str] = []
    for piece in _PIECES.finditer(plain(text)):
        run = piece[1]
        if run and len(run) > 1:
            found += [run[k : k + 2] for k in range(min(len(run) - 1, most))]
        else:
            found.append(piece[0][:_LONGEST])
        if len(found) >= most:
            break
    return found[:most]


def trigrams(word: str) -> list[str]:
    """The trigrams of a word, its ends marked; none of one that is shorter than three characters.

    >>> trigrams("tea")
    ['<te', 'tea', 'ea>']
    """
    if len(word) < 3:
        return []
    marked = f"<{word}>"
    return [marked[k : k + 3] for k in range(len(marked) - 2)]
