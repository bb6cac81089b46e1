"""What a proposal says, section by section, in blocks; every number is asked of the result files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._page import numbers, places
from .._page.reasons import own_circle
from .._page.shown_riders import shown_riders
from .._page.summary import (
    count_mark,
    parameters,
    proof,
    short_tiers,
    shown_gaps,
    shown_tiers,
    sources,
    what_serves,
    whole_gains,
)
from .._page.words import Words
from ..disclosure import told_warnings
from ..errors import Lang
from ..model import Plan
from ..plan_tables import gap_table, printed_contacts, site_table, zone_table
from ..role_words import role_word
from ..services import told_services
from .blocks import Align, Annex, Block, Card, Heading, Number, Paragraph, Picture, Table, Text
from .traces import REASONS, SUMMARY, Traces, split_at, trace_rows

#: rows of a table in the body: the rest is in tables.xlsx, which is said
MOST_ROWS = 30
#: places that a sentence names
MOST_NAMED = 3
#: substitutes that a card names
MOST_SUBSTITUTES = 3


class Proposal:
    """
    The sections of a plan's proposal.

    Parameters
    ----------
    plan
        What `suggest` gave, with reasons and contacts where it has them.
    traces
        Its result files.
    pictures
        PNG bytes by name: `before`, `after`, and `zones`, `week`, `curve` where the plan has them.
    lang
        Language of every word.
    """

    def __init__(self, plan: Plan, traces: Traces, pictures: Mapping[str, bytes], lang: Lang) -> None:
        self.plan, self.traces, self.pictures, self.lang = plan, traces, pictures, lang
        self.words = Words(lang)
        self.before, self.after = shown_riders(plan.before), shown_riders(plan.after)
        self.last = len(plan.study.minutes) - 1
        self.keys = [f"{m:g}" for m in plan.study.minutes]
        self.gaps, self.sites, self.zones = gap_table(plan), site_table(plan), zone_table(plan)
        self.has_sites = bool(len(plan.sites))
        for state in ("before", "after"):
            for key in self.keys if len(self.zones) and plan.study.zones is not None else ():
                parts = [f"/zones/{k}/{state}_{key}" for k in range(len(self.zones))]
                traces.check_sum(parts, f"/{state}/covered/{key}", self.say("各网格合计", "The sum over zones"))

    def say(self, zh: str, en: str) -> str:
        """Return one of two texts."""
        return zh if self.lang == "zh" else en

    def blocks(self) -> list[Block]:
        """Return the whole proposal, the trace of its numbers at the end."""
        body = [
            *self._title(),
            *self._summary(),
            *self._today(),
            *self._gaps(),
            *self._suggested(),
            *self._change(),
            *self._method(),
            *self._sources(),
            *self._contacts(),
        ]
        return [*body, *self._trace(body)]

    # ------------------------------------------------------------------------------------------------- title
    def _title(self) -> Iterator[Block]:
        study = self.plan.study
        yield Heading(self.say(f"{study.name}建设方案", f"{study.name}: proposal"), 0)
        under = [study.office, numbers.printed_date(study.date, self.lang) if study.date else ""]
        yield Paragraph(("　".join(text for text in under if text),), "under_title")
        if study.is_invented:
            yield Paragraph(
                (self.say("示意数据：位置和数值均为虚构。", "Sample data: places and numbers are invented."),),
                "note",
            )

    # ----------------------------------------------------------------------------------------------- summary
    def _summary(self) -> Iterator[Block]:
        yield Heading(self.say("一、摘要", "1. Summary"))
        yield from (Paragraph(text, "item") for text in self._sentences())

    def _sentences(self) -> Iterator[Text]:
        """Yield five sentences: today, the gaps, what is proposed, what it brings, how sure that is."""
        riders = self.traces.whole("/before/riders", self.before.riders)
        yield self._today_sentence(riders)
        yield self._gap_sentence()
        if not self.has_sites:
            yield (self.say("本方案不建议新增点位。", "No new place is suggested."),)
        else:
            yield self._site_sentence()
            yield self._gain_sentence(riders)
        yield self._proof()

    def _proof(self) -> Text:
        """Return how good the suggestions provably are, its numbers with their places."""
        told = _closed(proof(self.plan, self.words), self.lang)
        solution, gap = self.plan.solution, "/solution/gap"
        if self.plan.unmet is not None or (solution.status == "optimal" and solution.gap == 0):
            kinds = [(kind, n) for kind in ("station", "shop") if (n := self._n(kind))]
            return split_at(told, [self.traces.exactly(f"/suggested/{kind}", n) for kind, n in kinds])
        if self.plan.siting is not None:
            return split_at(told, [self.traces.share(gap)])
        best, bound = (self.traces.number(f"/solution/{name}", numbers.whole) for name in ("objective", "bound"))
        return split_at(told, [best, bound, self.traces.share(gap)])

    def _n(self, kind: str) -> int:
        return int((self.sites["kind"] == kind).sum())

    def _within(self, k: int) -> Text:
        way = self.words(f"way.{self.plan.study.profile.roads}")
        what = self.words(what_serves(self.plan))
        return (
            self.say(f"{way} ", "within "),
            self._break(k),
            self.say(f" 分钟内到得了{what}的", f" minutes {way} of {what}"),
        )

    def _break(self, k: int) -> Number:
        """Return the minutes of a break."""
        return self.traces.number(f"/minutes/{k}", lambda value: f"{value:g}")

    def _today_sentence(self, riders: Number) -> Text:
        parts: list[str | Number] = [
            self.say("共有骑手 ", "There are "),
            riders,
            self.say(
                f" 人（期望值{self._of_ledger()}）。今天，", f" riders (expected{self._of_ledger()}). Today, "
            ),
        ]
        for k in range(self.last, -1, -1):
            covered, share = self._covered("before", k)
            parts += [*self._within(k), self.say("有 ", ": "), covered, self.say(" 人，占 ", ", "), share]
            parts.append(self.say("；" if k else "。", "; " if k else "."))
        return tuple(parts)

    def _of_ledger(self) -> str:
        """Return what the ledger says of its counts, where it says more than a number."""
        mark = count_mark(self.plan)
        if not mark:
            return ""
        zh, en = _OF_COUNTS[mark]
        return self.say(f"；台账含概数，按所写数字计{zh}", f"; the ledger has round counts, taken as written{en}")

    def _covered(self, state: str, k: int) -> tuple[Number, Number]:
        key, shown = self.keys[k], self.before if state == "before" else self.after
        return (
            self.traces.whole(f"/{state}/covered/{key}", shown.within[k]),
            self.traces.share(f"/{state}/share/{key}"),
        )

    def _gained(self, k: int) -> Number:
        """Return the riders gained at a break: the difference of two numbers that are shown."""
        difference = f"{SUMMARY}#/after/covered/{self.keys[k]} − #/before/covered/{self.keys[k]}"
        return Number(numbers.change(self._more(k)), difference)

    def _more(self, k: int) -> int:
        return int(self.after.within[k] - self.before.within[k])

    def _gap_sentence(self) -> Text:
        if not len(self.gaps):
            return (self.say("没有缺口。", "There is no gap."),)
        count = self.traces.number("/gaps/count", numbers.whole)
        riders = self.traces.whole("/gaps/riders", shown_gaps(self.plan)[0])
        worst = self.traces.number("/gaps/each/0/riders", numbers.told)
        zone = self.gaps["zone"].iloc[0]
        where = self.say(f"，在{zone}", f", in {zone}") if zone else ""
        return (
            self.say("未覆盖的骑手集中在 ", "Those not reached are in "),
            count,
            self.say(" 处缺口，共约 ", " gaps, about "),
            riders,
            self.say(" 人，最大一处约 ", " riders, the largest about "),
            worst,
            self.say(f" 人{where}。", f"{where}."),
        )

    def _site_sentence(self) -> Text:
        units = {
            "station": ("处驿站", "station", "stations"),
            "shop": ("家爱心商铺", "partner shop", "partner shops"),
        }
        parts: list[str | Number] = [self.say("建议新增", "Suggested:")]
        for kind, (zh, one, many) in units.items():
            if n := self._n(kind):
                between = self.say("、", " and") if len(parts) > 1 else ""
                parts += [f"{between} ", self.traces.exactly(f"/suggested/{kind}", n)]
                parts.append(f" {self.say(zh, one if n == 1 else many)}")
        names = [str(name) for name in self.sites["name"].iloc[:MOST_NAMED]]
        more = len(self.sites) > MOST_NAMED
        zh = f"：{'、'.join(names)}{'等' if more else ''}。"
        return (*parts, self.say(zh, f": {', '.join(names)}{' and others' if more else ''}."))

    def _gain_sentence(self, riders: Number) -> Text:
        covered, share = self._covered("after", self.last)
        gained = replace(self._gained(self.last), text=numbers.whole(self._more(self.last)))
        return (
            self.say("建成后，", "Then, "),
            *self._within(self.last),
            self.say("有 ", ": "),
            covered,
            self.say(" 人，占 ", " riders, "),
            share,
            self.say("，新增 ", ", "),
            gained,
            self.say(" 人（共 ", " (of "),
            riders,
            self.say(" 人）。", ")."),
        )

    # ------------------------------------------------------------------------------------------------- today
    def _today(self) -> Iterator[Block]:
        yield Heading(self.say("二、现状", "2. Where we stand"))
        yield from self._picture("before", self.say("现状覆盖图", "Coverage today"))
        yield from self._tiers(("before",))
        if self.plan.study.zones is not None and len(self.zones):
            yield self._zone_table()
        yield from self._picture("week", self.say("一周逐小时覆盖的骑手", "Riders covered by the hour of the week"))

    def _tiers(self, states: tuple[str, ...]) -> Iterator[Block]:
        """Yield core and belt at each break, today and with the suggestions; nothing where there is no partner."""
        if what_serves(self.plan) != "station_or_shop":
            return
        coverages = {"before": self.plan.before, "after": self.plan.after}
        when = {"before": self.say("现状", ", today"), "after": self.say("建议后", ", then")}
        rows: list[tuple[Text, ...]] = []
        for k, key in enumerate(self.keys):
            shown = {state: shown_tiers(coverages[state], k) for state in states}
            rows.append(
                (
                    (self._break(k),),
                    *(
                        (self.traces.whole(f"/tiers/{state}/{tier}/covered/{key}", shown[state][n]),)
                        for n, tier in enumerate(("core", "belt"))
                        for state in states
                    ),
                )
            )
        header = (
            self.say("分钟内", "Within (min)"),
            *(self.say(f"核心圈{when[state]}", f"Core{when[state]}") for state in states),
            *(self.say(f"辐射带{when[state]}", f"Belt{when[state]}") for state in states),
        )
        yield self._table(
            self.say("核心圈与辐射带（人）", "Core and belt (riders)"),
            header,
            rows,
            (14, *(21,) * (2 * len(states))),
            _sides("r" * (1 + 2 * len(states))),
        )
        if states == ("before",):
            told = self.say(
                "核心圈：驿站服务到的骑手；辐射带：只有商铺、服务街或商圈服务到的骑手。两者不重复计。",
                "Core: riders whom a station reaches; belt: whom a partner alone reaches. No rider counts in both.",
            )
            yield Paragraph((told,), "note")

    def _picture(self, name: str, caption: str) -> Iterator[Block]:
        if name in self.pictures:
            yield Picture(self.pictures[name], caption)

    def _zone_table(self) -> Table:
        last = self.keys[-1]
        rows: list[tuple[Text, ...]] = []
        for k, row in enumerate(self.zones.to_dict("records")):
            at = f"/zones/{k}"
            rows.append(
                (
                    (str(row["name"]) or self.say("网格之外", "outside all zones"),),
                    (self.traces.number(f"{at}/riders", numbers.one_decimal),),
                    *((self.traces.number(f"{at}/before_{key}", numbers.one_decimal),) for key in self.keys),
                    (self.traces.share(f"{at}/before_share_{last}"),),
                    (str(row["nearest"]),),
                    (self.traces.number(f"{at}/nearest_min", numbers.one_decimal),),
                )
            )
        header = (
            self.say("网格", "Zone"),
            self.say("骑手", "Riders"),
            *(self.say(f"{key} 分钟内", f"Within {key} min") for key in self.keys),
            self.say("覆盖率", "Share"),
            self.say("现状最近设施", "Nearest today"),
            self.say("分钟", "Minutes"),
        )
        n = len(self.keys)
        return self._table(
            self.say("各网格覆盖的骑手（人，期望值，可有小数）", "Riders covered by zone (expected values)"),
            header,
            rows,
            (18, 10, *(12,) * n, 11, 24, 9),
            _sides("lr" + "r" * n + "rlr"),
        )

    def _table(
        self,
        caption: str,
        header: tuple[str, ...],
        rows: Sequence[tuple[Text, ...]],
        widths: tuple[int, ...],
        align: tuple[Align, ...],
    ) -> Table:
        if len(rows) > MOST_ROWS:
            caption += self.say("；其余各行见 tables.xlsx", "; the other rows are in tables.xlsx")
        shares = tuple(width / sum(widths) for width in widths)
        return Table(caption, header, tuple(rows[:MOST_ROWS]), shares, align)

    # -------------------------------------------------------------------------------------------------- gaps
    def _gaps(self) -> Iterator[Block]:
        yield Heading(self.say("三、缺口与原因", "3. Gaps, and why"))
        if not len(self.gaps):
            yield Paragraph((self.say("没有缺口。", "There is no gap."),))
            return
        yield Paragraph(
            (
                self.say(
                    "缺口是连成一片、时限内到不了任何点位的方格，字母按骑手由多到少排列，地图标注其中较大的，字母相同。"
                    "“商铺只服务几分钟”指该处自己的时限较短：走得到，但不在它的服务范围。",
                    "A gap is ground from which no place is reached in time, lettered from the most riders down; "
                    "the map tags the larger ones by the same letters. A place that serves only so many minutes "
                    "may be near enough to walk to, and yet not serve there.",
                ),
            )
        )
        has_zones = bool(self.gaps["zone"].astype(bool).any())
        rows = [
            (
                (str(row["letter"]),),
                (self.traces.number(f"/gaps/each/{k}/riders", numbers.told),),
                *(((str(row["zone"]),),) if has_zones else ()),
                (self.words(f"reason.{row['reason']}"),),
                self._nearest(k, row),
                (self.traces.number(f"/gaps/each/{k}/nearest_min", numbers.one_decimal),),
                (self.traces.number(f"/gaps/each/{k}/stays", numbers.told),),
            )
            for k, row in enumerate(self.gaps.to_dict("records"))
        ]
        header = (
            self.say("缺口", "Gap"),
            self.say("骑手", "Riders"),
            *((self.say("网格", "Zone"),) if has_zones else ()),
            self.say("原因", "Reason"),
            self.say("最近设施", "Nearest"),
            self.say("分钟", "Minutes"),
            self.say("建议后仍缺", "Left then"),
        )
        yield self._table(
            self.say("缺口一览（人）", "Gaps (riders)"),
            header,
            rows,
            (8, 9, *((15,) if has_zones else ()), 22, 27, 9, 10),
            _sides("crlllrr" if has_zones else "crllrr"),
        )

    def _nearest(self, k: int, row: Mapping[Any, Any]) -> Text:
        """Return the nearest place of a gap, and what it serves where that is less than the largest break."""
        told = places.own_limit_text(self.plan, self.plan.gaps["nearest_id"].iloc[k], self.words)
        if not told:
            return (str(row["nearest"]),)
        limit = self.traces.number(f"/gaps/each/{k}/nearest_limit", lambda value: f"{value:g}")
        return (str(row["nearest"]), *_bracketed(split_at(told, [limit]), self.lang))

    # --------------------------------------------------------------------------------------------- suggested
    def _suggested(self) -> Iterator[Block]:
        yield Heading(self.say("四、建议新增", "4. What we propose"))
        yield Paragraph(self._proof())
        if not self.has_sites:
            return
        gains = whole_gains(self.plan)
        yield from (self._card(k, row, gains[k]) for k, row in enumerate(self.sites.to_dict("records")))
        yield from self._picture(
            "curve", self.say("点位数量与覆盖的骑手", "Riders covered by the number of places")
        )

    def _card(self, k: int, row: Mapping[Any, Any], gain: int) -> Card:
        at = f"/suggestions/{k}"
        exact = float(row["riders_gained"])
        shown = (
            self.traces.whole(f"{at}/riders_gained", gain, numbers.gain(gain, exact))
            if gain
            else self.traces.number(f"{at}/riders_gained", lambda value: numbers.gain(0, value))
        )
        colon = self.say("人", " riders")
        rows: list[tuple[str, Text]] = [
            (self.say("位置", "Place"), self._place(k, row)),
            (
                self.say("增加骑手", "Riders gained"),
                (
                    shown,
                    self.say(" 人（", f"{colon} within "),
                    self._break(self.last),
                    self.say(" 分钟内，在前面各处之外）", " min, beyond those above"),
                ),
            ),
            (
                self.say("到最近设施", "To the nearest"),
                (
                    self.traces.number(f"{at}/minutes_before", numbers.one_decimal),
                    " → ",
                    self.traces.number(f"{at}/minutes_after", numbers.one_decimal),
                    self.say(" 分钟（新增骑手的中位数", " min (median of those gained"),
                    *self._why_not_enough(row),
                    self.say("）", ")"),
                ),
            ),
        ]
        if "cost" in row and not numbers.is_missing(row["cost"]):
            money = self.traces.number(f"{at}/cost", lambda value: f"{value:,.0f}")
            rows.append((self.say("费用", "Cost"), (money, self.say(" 元", " yuan"))))
        if "seats" in row and not numbers.is_missing(row["seats"]):
            rows.append((self.say("座位", "Seats"), (self.traces.number(f"{at}/seats", numbers.whole),)))
        rows += self._reasons(k)
        kind = self.words(f"kind.{row['kind']}")
        return Card(f"{row['rank']}　{kind}　{row['name']}", tuple(rows))

    def _why_not_enough(self, row: Mapping[Any, Any]) -> Text:
        """Return why riders gain whose nearest place of today is near enough: it serves only so many minutes."""
        told = own_circle(self.plan, row["minutes_before"], self.words)
        if not told:
            return ()
        limits = self.traces.value("/own_limits")
        numbered = [self.traces.number("/own_limits/0", lambda value: f"{value:g}")] if len(limits) == 1 else []
        return (self.say("；", "; "), *split_at(told[0], numbered))

    def _place(self, k: int, row: Mapping[Any, Any]) -> Text:
        where = (
            f"{row['zone']}，" if row["zone"] and self.lang == "zh" else f"{row['zone']}, " if row["zone"] else ""
        )
        lon, lat = (self.traces.number(f"/suggestions/{k}/{name}", "{:.6f}".format) for name in ("lon", "lat"))
        return (where, self.say("东经 ", ""), lon, self.say("，北纬 ", ", "), lat)

    def _reasons(self, k: int) -> Iterator[tuple[str, Text]]:
        """Yield what is lost without a place, and what could take its place, as the explanation says."""
        if REASONS not in self.traces.files:
            return
        own = self.traces.value(f"/suggestions/{k}", file=REASONS)
        if own.get("lost_replaced") is not None:
            lost = self.traces.number(f"/suggestions/{k}/lost_replaced", numbers.told, file=REASONS)
            text = self.say(" 人（数量不变、全部重新选择时）", " riders, all others chosen anew")
            rows = (self.say("另选他处则少", "Fewer with other sites"), (lost, text))
            yield rows
        near = [j for j, other in enumerate(own["substitutes"]) if other.get("within") is not None][
            :MOST_SUBSTITUTES
        ]
        parts: list[str | Number] = []
        for j in near:
            loss = self.traces.number(f"/suggestions/{k}/substitutes/{j}/loss", numbers.told, file=REASONS)
            parts += [
                "、" if parts and self.lang == "zh" else ", " if parts else "",
                str(own["substitutes"][j]["name"]),
            ]
            parts += [self.say("（少 ", " (−"), loss, self.say(" 人）", ")")]
        if parts:
            yield self.say("可替代点", "Substitutes"), tuple(parts)

    # ---------------------------------------------------------------------------------------- before and after
    def _change(self) -> Iterator[Block]:
        if not self.has_sites:
            return
        yield Heading(self.say("五、实施前后", "5. Before and after"))
        yield self._totals()
        yield from self._tiers(("before", "after"))
        yield from self._picture("after", self.say("建议实施后覆盖图", "Coverage with the proposal"))
        yield from self._picture("zones", self.say("各网格实施前后", "Zones before and after"))

    def _totals(self) -> Table:
        rows: list[tuple[Text, ...]] = []
        for k in range(len(self.keys)):
            was, will = self._covered("before", k), self._covered("after", k)
            gained = self._gained(k)
            rows.append(((self._break(k),), (was[0],), (was[1],), (will[0],), (will[1],), (gained,)))
        header = (
            self.say("分钟内", "Within (min)"),
            self.say("现状（人）", "Today"),
            self.say("覆盖率", "Share"),
            self.say("建议后（人）", "Then"),
            self.say("覆盖率", "Share"),
            self.say("增加（人）", "Gained"),
        )
        return self._table(
            self.say("覆盖的骑手", "Riders covered"), header, rows, (14, 18, 16, 18, 16, 18), _sides("r" * 6)
        )

    # ------------------------------------------------------------------------------------------------ method
    def _method(self) -> Iterator[Block]:
        number = self.say("六" if self.has_sites else "五", "6" if self.has_sites else "5")
        yield Heading(self.say(f"{number}、怎样算的，有什么局限", f"{number}. How it was computed, and its limits"))
        tiers = short_tiers(self.plan, self.words)  # told in tables above
        for term, told in (
            row for row in parameters(self.plan, self.words, self.before.riders) if row not in tiers
        ):
            between = self.say("：", ": ")
            yield Paragraph((f"{term}{between}{told}" if term else str(told),), "item")
        for zh, en in _METHOD:
            yield Paragraph((self.say(zh, en),), "item")
        yield Heading(self.say("局限", "Limits"), 2)
        for zh, en in _LIMITS:
            yield Paragraph((self.say(zh, en),), "item")
        if self.plan.trouble is not None and self.plan.trouble.counted is not None:
            yield Paragraph((self.plan.trouble.counted.told(self.lang),), "item")
        if n := len(told_warnings(self.plan)):
            head, tail = (
                self.say("读入与计算中有 ", "Warnings of reading and computing: "),
                self.say(" 处提醒，见 tables.xlsx 的“参数与来源”。", ", in tables.xlsx under assumptions."),
            )
            yield Paragraph((head, self.traces.length("/warnings", n), tail), "item")

    # ----------------------------------------------------------------------------------------------- sources
    def _sources(self) -> Iterator[Block]:
        number = self.say("七" if self.has_sites else "六", "7" if self.has_sites else "6")
        yield Heading(self.say(f"{number}、数据来源与许可", f"{number}. Sources and licences"))
        yield Paragraph((sources(self.plan, self.words)[0],))
        used = [
            ((str(file["file"]),), (role_word(file["role"], self.lang),), (str(file["sha256"])[:16],))
            for file in self.traces.value("/inputs")
        ]
        if used:
            header = (
                self.say("文件", "File"),
                self.say("用途", "Role"),
                self.say("指纹（SHA-256 前 16 位）", "SHA-256, first 16"),
            )
            yield self._table(
                self.say("输入文件", "Input files"), header, used, (40, 22, 38), ("left", "left", "left")
            )

    # ---------------------------------------------------------------------------------------------- contacts
    def _contacts(self) -> Iterator[Block]:
        contacts = self.plan.contacts
        if contacts is None:
            return
        table = printed_contacts(contacts)
        if not len(table):
            return
        yield Annex(self.say("附一　服务联络表", "Annex 1. Service contact table"))
        rows = [
            (
                (str(row["origin"]),),
                (str(row["name"]),),
                (_text(row.get("address")),),
                (_text(row.get("hours")),),
                (_services(row.get("services"), self.lang),),
                (self.traces.number(f"/contacts/{k}/minutes", numbers.one_decimal),),
            )
            for k, row in enumerate(table.to_dict("records"))
        ]
        header = (
            self.say("站点（社区）", "From"),
            self.say("驿站或商铺", "Place"),
            self.say("地址", "Address"),
            self.say("开放时间", "Hours"),
            self.say("服务项目", "Services"),
            self.say("分钟", "Minutes"),
        )
        widths = (17, 20, 18, 14, 22, 9)
        shares = tuple(width / sum(widths) for width in widths)
        yield Table(
            self.say(
                "按路网由近到远；全表见 contacts.xlsx", "Nearest first on the street network; see contacts.xlsx"
            ),
            header,
            tuple(rows),
            shares,
            _sides("lllllr"),
        )

    # ------------------------------------------------------------------------------------------------- trace
    def _trace(self, body: Sequence[Block]) -> Iterator[Block]:
        has_contacts = any(isinstance(block, Annex) for block in body)
        yield Annex(
            self.say(
                f"附{'二' if has_contacts else '一'}　数字出处",
                f"Annex {2 if has_contacts else 1}. Where each number is from",
            )
        )
        yield Paragraph(
            (
                self.say(
                    "# 之前为结果文件夹中的文件，之后为其中的位置；* 表示每一行。"
                    "序号、日期、名称、地址、电话、指纹，以及计算参数，照录研究文件和输入文件，不另列出处。",
                    "The file of the result folder, # and the place in it; * stands for every row. Ranks, dates, "
                    "names, addresses, telephone numbers, fingerprints and parameters are those of the study "
                    "and its files.",
                ),
            ),
            "note",
        )
        rows = tuple(((where,), (shown,), (source,)) for where, shown, source in trace_rows(body, self.lang))
        header = (self.say("章节", "Under"), self.say("数字", "Numbers"), self.say("出处", "Source"))
        yield Table(self.say("数字出处", "Sources of the numbers"), header, rows, (0.27, 0.31, 0.42), _sides("lll"))


#: how numbers come about, whatever the study
_METHOD: tuple[tuple[str, str], ...] = (
    (
        "出行时间沿道路逐段相加，从骑手所在的门前路段算到设施所在的门前路段，不用直线距离，也不画圆圈。",
        "Travel times are added up along the streets, from door to door; no straight lines, no circles.",
    ),
    (
        "骑手按台账的站点人数（或人口、打卡）分摊到附近街道，是期望值，可有小数。",
        "Riders are spread from depots (or people, check-ins) over streets near by: expected values.",
    ),
    (
        "新增点位由计算机比较所有可选组合选出，同时算出“任何方案都不可能超过”的人数：两者相等才称最优，否则写已知最好，并注明相差多少。",
        "Sites are searched for among all combinations, beside a number that no plan can exceed: optimal where "
        "both are equal, else the best known, and by how much they differ.",
    ),
)
_LIMITS: tuple[tuple[str, str], ...] = (
    (
        "路网取自所列文件，图上没有的小路、门禁和台阶不在计算之内。",
        "Streets are those of the files: paths, locked doors and steps that they lack are not counted.",
    ),
    (
        "开放时间不明的点位按开放计，并已注明；楼内上下楼的时间不计。",
        "A place whose hours are unknown counts as open, which is told; stairs and lifts are not counted.",
    ),
    (
        "选址是计算结果，场地是否可用、业主是否同意，须现场核实。",
        "Sites are a result of computing: whether a place can be had is to be seen on the spot.",
    ),
)


#: what a mark of the counts says of the true number
_OF_COUNTS: dict[str, tuple[str, str]] = {
    "at_least": ("，实际不少于此数", ": no fewer"),
    "under": ("，实际略少于此数", ": a little fewer"),
    "about": ("", ""),
}


def _sides(letters: str) -> tuple[Align, ...]:
    """Return how columns are set, by their first letters."""
    sides: dict[str, Align] = {"l": "left", "r": "right", "c": "center"}
    return tuple(sides[letter] for letter in letters)


def _bracketed(text: Text, lang: Lang) -> Text:
    """Return a text in brackets."""
    return ("（", *text, "）") if lang == "zh" else (" (", *text, ")")


def _closed(text: str, lang: Lang) -> str:
    """Return a sentence with its full stop."""
    return text if text.endswith(("。", ".")) else text + ("。" if lang == "zh" else ".")


def _text(value: object) -> str:
    return "" if numbers.is_missing(value) else str(value)


def _services(value: object, lang: Lang) -> str:
    if isinstance(value, (list, tuple)):
        return told_services(tuple(map(str, value)), lang)
    return _text(value)
