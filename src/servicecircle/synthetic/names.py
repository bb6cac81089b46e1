# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Names: plausible Chinese names, each given once; none is taken from a real place or firm on purpose."""

from __future__ import annotations

from numpy.random import Generator

from .words import Words


class Namer:
    """Gives every name once; the order of asking and the generator decide which."""

    def __init__(self, rng: Generator, words: Words, *, first: tuple[str, ...] = ()) -> None:
        self.rng = rng
        self.words = words
        self._used: set[str] = set()
        self._first = list(first)
        self._words = [str(w) for w in rng.permutation(self.words.streets)]
        self._lanes = [str(w) for w in rng.permutation(self.words.lanes)]
        self._heads: list[str] = []
        self._villages = [str(w) for w in rng.permutation(self.words.villages)]

    def take(self, name: str) -> str:
        """Return `name`, or `name` with a number where it is taken."""
        tried, k = name, 1
        while tried in self._used:
            k += 1
            tried = f"{name}{_chinese(k)}"
        self._used.add(tried)
        return tried

    def street(self, ending: str) -> str:
        """Return the name of a street that ends in 大道, 路 or 街."""
        if self._words:
            return self.take(self._words.pop() + ending)
        heads = self.rng.choice(self.words.streets, 2)
        return self.take(heads[0][0] + heads[1][-1] + ending)

    def main_street(self, ending: str) -> str:
        """Return the name of a main road: those that were asked for come first."""
        return self.take(self._first.pop(0) + ending) if self._first else self.street(ending)

    def village(self) -> str:
        """Return the name of a village; its lanes are numbered."""
        return self._villages.pop() if self._villages else "新"

    def lane(self, village: str | None, number: int) -> str:
        """Return the name of a lane: numbered in a village, an old word in the old quarter."""
        if village is not None:
            return self.take(f"{village}{_chinese(number)}巷")
        if self._lanes:
            return self.take(self._lanes.pop() + "巷")
        heads = self.rng.choice(self.words.lanes, 2)
        return self.take(heads[0][0] + heads[1][0] + "里")

    def area(self, use: str) -> str:
        """Return the name of a compound, school, park and the like."""
        rng = self.rng
        if use == "compound":
            name = self._compound()
        elif use == "works":
            name = self._pick(self.words.works) + self._pick(self.words.works_tails)
        elif use == "school":
            name = self._pick(self.words.schools) + self._pick(self.words.school_tails)
        elif use == "park":
            name = self._pick(self.words.parks)
        elif use == "square":
            name = self._pick(self.words.squares)
        elif use == "zone":
            tail = self.words.zone_tail
            free = [zone for zone in self.words.zones if f"{zone}{tail}" not in self._used]
            return self.take(f"{self._pick(free or self.words.zones)}{tail}")
        else:
            name = {"hospital": "街道社区卫生服务中心", "office": "街道办事处", "college": self.words.college}[use]
        if name in self._used and use in ("compound", "works", "school", "park", "square") and rng.random() < 0.97:
            return self.area(use)
        return self.take(name)

    def _compound(self) -> str:
        """Return the name of a compound: every head once before any comes again."""
        if not self._heads:
            self._heads = [str(w) for w in self.rng.permutation(self.words.compounds)]
        head = self._heads.pop()
        tails = self.words.old_tails if head in self.words.old_compounds else self.words.compound_tails
        return head + self._pick([tail for tail in tails if tail[-1] not in head])

    def shop(self) -> tuple[str, str, str, str]:
        """Return name, trade, OSM key and OSM value of a shop."""
        share = [trade[4] for trade in self.words.trades]
        k = int(self.rng.choice(len(self.words.trades), p=[s / sum(share) for s in share]))
        trade, key, value, endings, _ = self.words.trades[k]
        for _ in range(20):
            name = self._pick(self.words.shops) + self._pick(endings)
            if name not in self._used:
                break
        return self.take(name), trade, key, value

    def _pick(self, words: tuple[str, ...] | list[str]) -> str:
        return words[int(self.rng.integers(len(words)))]


def _chinese(number: int) -> str:
    digits = "零一二三四五六七八九十"
    if number <= 10:
        return digits[number]
    tens, ones = divmod(number, 10)
    return ("" if tens == 1 else digits[tens]) + "十" + (digits[ones] if ones else "")
