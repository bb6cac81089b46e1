"""Amenities: free text of what a station or shop offers, folded to codes; what is broken, and what no word fits."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ._validate import check_text
from .errors import InputError
from .hours_words import plain_text

#: of a code: a lower-case letter, then letters, digits and `_`
_CODE = re.compile("[a-z][a-z0-9_]{0,39}")
#: a cell longer than this is no list of amenities
MAX_LENGTH = 2000


@dataclass(frozen=True)
class Amenity:
    """One thing that a place may offer."""

    code: str
    zh: str
    en: str
    osm: str  # the OpenStreetMap tag that says the same, "" where there is none
    words: tuple[str, ...]  # that mean it, as `plain_text` gives them

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            msg = f"`code` must be letters, digits and `_` in lower case, got {self.code!r}."
            raise InputError(msg)


#: code | Chinese name | English name | OpenStreetMap tag | further words; a line that is set in goes on
_VOCABULARY = """
drinking_water | 饮水 | drinking water | amenity=drinking_water | 饮水机 饮用水 直饮水 直饮机 饮水点 饮水器
    饮水设备 喝水 茶水 接水 凉茶 开水 drink water
hot_water | 热水 | hot water | drinking_water:hot=yes | 热水器 开水机 热水供应
microwave | 微波炉 | microwave oven | microwave=yes | 热饭 加热饭菜 饭菜加热 热餐 餐食加热 微波加热
fridge | 冰箱 | fridge | fridge=yes | 冰柜 冷藏柜 冷藏 refrigerator
charging | 充电 | phone charging | device_charging_station=yes | 手机充电 充电插座 充电宝 共享充电宝 插座
    充电器 充电线 手机充电站 phone_charging power
ebike_charging | 电动车充电 | e-bike charging | amenity=charging_station | 电瓶车充电 电单车充电 电动车充电桩
    电瓶车充电桩 电动自行车充电桩 充电桩 电动自行车充电 骑手充电桩
battery_swap | 换电 | battery swap | amenity=vending_machine + vending=electric_vehicle_battery | 换电柜
    换电站 电池更换 充换电 充换电柜 battery_exchange
seat | 休息 | seats | bench=yes | 歇脚 桌椅 座椅 椅子 沙发 休息区 休息室 休息座椅 休憩 座位 歇息 rest seats
    seating bench
toilet | 卫生间 | toilet | toilets=yes | 厕所 洗手间 公厕 如厕 toilets wc restroom
washing | 洗手 | washing | amenity=washing | 洗手池 洗漱 洗脸 盥洗 洗手台 wash
shower | 淋浴 | shower | amenity=shower | 洗澡 沐浴 浴室
rain_gear | 雨具 | rain gear | | 雨伞 雨衣 雨披 爱心雨伞 借伞 雨伞借用 umbrella umbrellas raincoat
medicine | 药品 | medicine | | 应急药品 常用药 常备药 常用药品 药箱 药品箱 医药箱 小药箱 应急药箱 防暑药品
    防暑降温药品 医药包 medicines
first_aid | 急救 | first aid | emergency=first_aid_kit | 急救箱 急救包 急救药箱 急救药品 firstaid
    first_aid_kit
aed | AED | defibrillator | emergency=defibrillator | 除颤仪 除颤器 自动体外除颤器 自动体外除颤仪
wifi | WiFi | Wi-Fi | internet_access=wlan | wi-fi 无线网络 无线网 无线上网 免费上网 上网 wlan internet
pump | 打气筒 | bicycle pump | service:bicycle:pump=yes | 打气 气筒 充气泵 充气 打气泵
repair_tools | 维修工具 | repair tools | amenity=bicycle_repair_station | 工具箱 修车工具 应急工具 维修工具箱
    工具 tools
locker | 储物柜 | lockers | amenity=locker | 储物 寄存 存包 智能储物柜 存放柜 物品寄存 寄存柜 衣柜 lockers
    storage
ac | 空调 | air conditioning | air_conditioning=yes | 冷气 纳凉 避暑 air_conditioning aircon
heating | 取暖 | heating | heating=yes | 暖气 供暖 取暖器 电暖器
fan | 风扇 | fan | | 电风扇 电扇
books | 图书 | books | amenity=public_bookcase | 书籍 书报 报刊 阅读 图书角 读书角 书架 报纸 杂志 图书阅读
    看书 reading
tv | 电视 | television | | 电视机
needlework | 针线 | needle and thread | | 针线包 针线盒
tissue | 纸巾 | tissues | | 抽纸 卫生纸
masks | 口罩 | face masks | |
meals | 就餐 | meals | | 用餐 餐饮 爱心餐 简餐 午餐 吃饭 用餐区 meal
nursing_room | 母婴室 | nursing room | amenity=baby_care | 母婴 哺乳室
printing | 打印 | printing | amenity=copyshop | 复印 打印复印 打印机
advice | 政策咨询 | advice | | 法律咨询 法律援助 咨询 心理咨询 维权 政策宣传
parking | 停车 | parking | amenity=parking | 电动车停放 车辆停放 停车位 停车区 停车点
sun_shade | 遮阳 | shade | | 遮阳伞 遮阳棚 防晒
parcel_locker | 快递柜 | parcel lockers | amenity=parcel_locker | 智能快递柜 公益快递柜 自提柜 快递自提柜 包裹柜
    快递存放柜 快递寄存柜 丰巢柜
childcare | 托管 | child care | amenity=childcare | 托管班 暑托班 寒托班 托育 夏令营 暑期托管 看护孩子 带娃
housing | 租房 | rental housing | | 就近租房 房源 出租房 宿舍 公寓 住宿
discount | 优惠 | discount | | 折扣 骑手折扣 骑手优惠 打折 骑手优惠价 discounts
"""

#: words that add nothing to an amenity
_FILLER = """
为骑手 为小哥 为户外劳动者 户外劳动者 骑手 免费 提供 配备 配有 设有 设置 备有 拥有 可供 可以 可 有 供 含 包括
使用 服务 设备 设施 功能 供应 借用 加热 应急 爱心 便民 公共 室内 智能 等 场所 区域 区 点 处 室 角 站 台 箱 的
和 与 及 以及 一 两 三 若干 基本 常用 手机 : . 。 free available
"""
_BROKEN = (
    r"(?:已|已经|正在|正|临时|暂时)?(?:损?坏(?:了|掉)?|故障|损毁|维修|检修|报修|待修|停用|暂停(?:使用|服务|开放)?|不可用|不能用|无法使用|失灵"
    r"|broken|out of order|not working)(?:中|了)?"
)
_BROKEN_PIECE = re.compile(rf"^(?P<what>.+?)[\s:\-—]*[(]?(?P<state>{_BROKEN})[)]?$")
_ALL = re.compile(r"(?:均|都|全部|全)$")
_ALL_BROKEN = re.compile(rf"(?:均|都|全部|全)?{_BROKEN}")
_ABSENT = re.compile(
    r"^(?:暂?无|没有|暂?未(?:配备|提供|设置)?|不提供|不含|不能|不可|不支持|禁止|缺|no |without )(?!线)"
)
#: right before a word: it is not wished for
_UNWANTED = re.compile(
    r"(?:不(?:要|想要|需要|用|必)|无需|不缺|别(?:装|放|设)?|已(?:经)?有|都有"
    r"|\bno|don'?t need|do not need|already have)"
    r"(?:再)?(?:装|设|建|放|增设|了|一个|个|an?|any|the|\s)*$"
)
_N_BEFORE = 24
_COUNT = re.compile(r"[×*]?[0-9]+\s*(?:个|台|套|把|张|位|间|条|部|组|件|座|只|㎡|平方米|平米)?")
_SEPARATOR = re.compile(r"[,，、;；/|+＋&。\n\t]+|和|及(?!时)|与|以及")
#: how forms tick what is there, and what is not
_YES, _NO = "√✓✔☑■●", "×✗✘☒□○"
_NONE = re.compile(r"[\s\-—/.]*|无|暂无|没有|none|nan|null|n/a")


def _fold(text: str) -> str:
    """Return a text as it is compared: as `plain_text` does, and `first_aid` and `first-aid` as `first aid`."""
    return re.sub("(?<=[a-z])[-_ ]+(?=[a-z])", " ", plain_text(text))


def _read_vocabulary() -> dict[str, Amenity]:
    every = {}
    for line in re.sub(r"\n +", " ", _VOCABULARY).strip().splitlines():
        code, zh, en, osm, words = (part.strip() for part in line.split("|"))
        folded = dict.fromkeys(plain_text(word) for word in (code, zh, en, *words.split()))
        every[code] = Amenity(code, zh, en, osm, tuple(folded))
    return every


#: code -> amenity
AMENITIES: Mapping[str, Amenity] = MappingProxyType(_read_vocabulary())
_WORDS: Mapping[str, str] = MappingProxyType({_fold(word): a.code for a in AMENITIES.values() for word in a.words})


@dataclass(frozen=True)
class AmenityList:
    """What a place offers, by code; a code is never in two of the first three."""

    working: tuple[str, ...] = ()  # in the order of the text
    broken: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()  # stated as not there
    not_understood: tuple[str, ...] = ()  # pieces of the text that count for nothing


def fold_amenities(text: str, *, words: Mapping[str, str] | None = None) -> AmenityList:
    """
    Read what a place offers from free text or a list of codes.

    Parameters
    ----------
    text
        A cell of a ledger; blank is an empty list.
    words
        Further words and the codes that they mean, `{"暖心水": "drinking_water"}`. They win over the known words;
        a code that is not in `AMENITIES` makes an amenity of the study's own.

    Returns
    -------
    amenities
        A piece of the text of which any part is not understood counts for nothing and is listed. What one piece
        calls broken and another does not is broken.

    Raises
    ------
    InputError
        If a word is blank or a code is none.

    Examples
    --------
    >>> fold_amenities("提供饮水、微波炉加热").working, fold_amenities("drink|ac|seat").working
    (('drinking_water', 'microwave'), ('drinking_water', 'ac', 'seat'))
    >>> fold_amenities("微波炉(坏)、冰箱、按摩椅")
    AmenityList(working=('fridge',), broken=('microwave',), absent=(), not_understood=('按摩椅',))
    """
    return _folded(check_text(text, "text"), tuple(check_words(words or {}).items()))


def services_in(text: str, *, words: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """
    Return the codes of the amenities that a sentence names, in the order of the text: what somebody wishes for.

    Other than `fold_amenities` it does not ask that every word is known; of words that stand in each other the
    longest counts, and one behind 不要, 不需要, 已有, no, don't need or the like is not wished for.

    Parameters
    ----------
    text
        Any sentence; blank names nothing.
    words
        As for `fold_amenities`.

    Raises
    ------
    InputError
        If a word is blank or a code is none.

    Examples
    --------
    >>> services_in("希望小区门口装个公益快递柜，也想有热水"), services_in("已有微波炉，想要换电柜")
    (('parcel_locker', 'hot_water'), ('battery_swap',))
    >>> services_in("路灯不亮")
    ()
    """
    plain = _fold(check_text(text, "text"))[:MAX_LENGTH]
    known = {word: code for word, code in {**_WORDS, **check_words(words or {})}.items() if len(word) > 1}
    found: dict[str, None] = {}
    at = 0
    while at < len(plain):
        word = _longest(plain, at, known)
        if word and not _UNWANTED.search(plain[max(0, at - _N_BEFORE) : at]):
            found[known[word]] = None
        at += len(word) or 1
    return tuple(found)


def check_words(words: Mapping[str, str]) -> dict[str, str]:
    """
    Return a study's own words, folded, with the codes that they mean.

    Raises
    ------
    InputError
        If a word is blank or a code is none.
    """
    folded = {}
    for word, code in words.items():
        plain = _fold(word) if isinstance(word, str) else ""
        if not plain:
            msg = "holds a blank word."
            raise InputError(msg, zh="含有空白词。")
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            msg = (
                f"gives {word!r} the code {code!r}: write lower-case letters, digits and `_`, e.g. drinking_water."
            )
            raise InputError(
                msg, zh=f"“{word}”的代码 {code!r} 无效：请用小写字母、数字和下划线，如 drinking_water。"
            )
        folded[plain] = code
    return folded


@functools.lru_cache(maxsize=10_000)
def _folded(text: str, own: tuple[tuple[str, str], ...]) -> AmenityList:
    plain = _fold(text)
    if _NONE.fullmatch(plain):
        return AmenityList()
    if len(plain) > MAX_LENGTH:
        return AmenityList(not_understood=(plain[:MAX_LENGTH],))
    known = {**_WORDS, **dict(own)}
    found: dict[str, list[str]] = {"working": [], "broken": [], "absent": [], "": []}
    for piece in _pieces(plain):
        _sort_piece(piece, known, found)
    broken = dict.fromkeys(found["broken"])
    working = [code for code in dict.fromkeys(found["working"]) if code not in broken]
    absent = [code for code in dict.fromkeys(found["absent"]) if code not in broken and code not in working]
    return AmenityList(tuple(working), tuple(broken), tuple(absent), tuple(dict.fromkeys(found[""])))


def _pieces(plain: str) -> list[str]:
    """Return the parts of a list; what stands in brackets is a part too, unless it tells a state."""
    flat = re.sub(rf"[\s(]+(?={_BROKEN}[)]?)", "", _without_ticks(plain))
    flat = re.sub(rf"({_BROKEN})[)]", r"\1", flat)
    flat = re.sub(r"[()\[\]【】]", ",", flat)
    return [piece for part in _SEPARATOR.split(flat) if (piece := part.strip(" :."))]


def _without_ticks(plain: str) -> str:
    """Return a form's list without its ticks, `√饮水 □充电` or `饮水√ 充电×`: what is not ticked as 无."""
    if plain[:1] in _YES + _NO:
        return re.sub(rf"[{_NO}](?![0-9])\s*", ",无", re.sub(rf"[{_YES}]\s*", ",", plain))
    if plain[-1:] in _YES + _NO:
        return re.sub(rf"([^\s,，、;；]+?)\s*[{_NO}]", r"无\1,", re.sub(rf"\s*[{_YES}]", ",", plain))
    return plain


def _sort_piece(piece: str, known: Mapping[str, str], found: dict[str, list[str]]) -> None:
    """Add the codes of a piece to those of its state; a state alone is of all that stand before it."""
    if piece in known:
        found["working"].append(known[piece])
        return
    state, rest = "working", piece
    if found["working"] and _ALL_BROKEN.fullmatch(piece):
        found["broken"] += found["working"]
        return
    if broken := _BROKEN_PIECE.match(piece):
        state, rest = "broken", broken["what"].strip(" :")
        if of_all := _ALL.search(rest):
            found["broken"] += found["working"]
            rest = rest[: of_all.start()]
    elif absent := _ABSENT.match(piece):
        state, rest = "absent", piece[absent.end() :].strip()
    codes, is_whole = _codes_in(rest, known)
    if is_whole:
        found[state] += codes
    else:
        found[""].append(piece)


def _codes_in(piece: str, known: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return the codes of the words in a piece, the longest at each place, and whether nothing else is in it."""
    if piece in known:
        return [known[piece]], True
    codes = []
    rest = _COUNT.sub(" ", piece)
    at = 0
    while at < len(rest):
        word = _longest(rest, at, known)
        filler = _longest(rest, at, _FILLERS)
        if word:
            codes.append(known[word])
        elif not filler and not rest[at].isspace():
            return [], False
        at += len(word or filler) or 1
    return codes, bool(codes) or not rest.strip()


_FILLERS = dict.fromkeys(_FILLER.split(), "")


def _longest(text: str, at: int, words: Mapping[str, str]) -> str:
    """Return the longest word that begins at a place; an English one must end there too."""
    for length in range(min(len(text) - at, 24), 0, -1):
        word = text[at : at + length]
        if word in words and not (word.isascii() and _is_inside_word(text, at, at + length)):
            return word
    return ""


def _is_inside_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return any(c.isascii() and (c.isalpha() or c == "_") for c in (before, after) if c)
