"""
Search that finds Chinese words without a dictionary.

Chinese has no blanks between words. Each run of Chinese characters is kept as its characters and its pairs of
neighbours, in the index as in the question: a page is found that holds every pair of what was typed.
"""

from __future__ import annotations

import re
from typing import ClassVar

from sphinx.search.en import SearchEnglish

_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W\u3400-\u9fff]+")
#: the same in the browser; one character alone is asked for as it is
_SPLIT_QUERY = r"""
var splitQuery = (query) => (query.match(
  /[\u3400-\u9fff]+|[^\s\u3400-\u9fff!-\/:-@\[-^`{-~，。、；：？！“”（）《》]+/gu) || [])
  .flatMap((run) => !/[\u3400-\u9fff]/.test(run) || run.length === 1 ? [run]
    : Array.from({ length: run.length - 1 }, (_, i) => run.slice(i, i + 2)));
"""


class SearchBoth(SearchEnglish):
    """English by stems, Chinese by characters and pairs of characters."""

    js_splitter_code: ClassVar[str] = _SPLIT_QUERY

    def split(self, input: str) -> list[str]:  # noqa: A002 - the name of the base class
        """Return the terms of a text."""
        terms: list[str] = []
        for run in _RUN.findall(input):
            if "\u3400" <= run[0] <= "\u9fff":
                terms += [*run, *(run[i : i + 2] for i in range(len(run) - 1))]
            else:
                terms.append(run)
        return terms

    def word_filter(self, word: str) -> bool:
        """Say whether a term is kept in the index."""
        return "\u3400" <= word[0] <= "\u9fff" or super().word_filter(word)
