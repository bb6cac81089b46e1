"""Headers of ledgers: which column is which, in Chinese or English, and which hold persons."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from .chinese import simplified

#: Field -> headers that mean it, the surest first. Folded when compared: width, case, Traditional or Simplified,
#: blanks, `_`, `-` and whatever stands in brackets do not matter.
SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        field: tuple(" ".join(words).split())
        for field, words in {
            "id": (
                "id 编号 編號 站点编号 驿站编号 商铺编号 商户编号 网点编号 网格编号 候选点编号 编码 网格编码",
                "网格代码 区划代码 代码 code station_id shop_id facility_id depot_id",
                "candidate_id zone_id cell_id osm_id no. no 序号",
            ),
            "name": (
                "name 名称 名稱 站点名称 站點名稱 驿站名称 商铺名称 商户名称 店铺名称 网点名称 候选点名称 网格名称",
                "社区名称 街道名称 小区名称 单位名称 站名 店名 station_name shop_name depot_name zone_name",
                "name_zh name:zh 阵地名称 中心名称 党群服务中心名称 门店名称 商家名称 餐厅名称 餐馆名称",
                "机构名称 地点名称 街区名称 商圈名称 大门名称 门店 商家 商户 店铺 商铺 驿站 网点 站点 阵地",
            ),
            "datum": (
                "datum 坐标系 坐标系统 坐标系类型 坐标类型 坐标基准 坐标参考系 coord_type coordtype coord_sys",
                "coordinate_system coordinate_type coordsys crs",
            ),
            "kind": ("kind 类型 類型 类别 种类 站点类型 候选类型 type category",),
            "lon": (
                "lon 经度 經度 东经 lng long longitude lon_wgs84 lng_wgs84 wgs84经度 lon_cgcs2000 lng_cgcs2000 x",
            ),
            "lat": ("lat 纬度 緯度 北纬 latitude lat_wgs84 wgs84纬度 lat_cgcs2000 y",),
            "address": ("address 地址 详细地址 詳細地址 站点地址 店铺地址 位置 addr",),
            "hours": ("hours 开放时间 开放时段 開放時間 营业时间 營業時間 服务时间 opening_hours open_hours",),
            "amenities": (
                "amenities 服务设施 服務設施 服务项目 服务内容 设施设备 配套设施 设施 facilities services",
            ),
            "checked": (
                "checked last_check last_checked check_date checked_at 最近检查 最近检查日期 最近检查时间",
                "检查日期 检查时间 上次检查 上次检查日期 最后检查 最后检查日期",
                "巡检日期 最近巡检 最近巡检日期 核查日期 设施检查日期",
            ),
            "capacity": ("capacity 容量 容纳人数 可容纳人数 座位数 seats",),
            "cost": ("cost 造价 费用 建设费用 建设成本 成本",),
            "riders": (
                "riders 骑手数 騎手數 骑手人数 骑手数量 快递员数 快递员人数 小哥人数 小哥数 从业人数 人数 人數",
                "人口 n_riders couriers headcount population 快递小哥人数 快递小哥数 小哥数量 快递员数量",
                "外卖员人数 外卖员数 配送员人数 配送员数 员工人数 员工数",
            ),
            "modes": ("modes 通行方式 允许通行 可通行方式 通行对象 准行方式",),
            "orders": (
                "orders 日单量 日均单量 每日单量 日订单量 日均订单量 单量 订单量 orders_per_day orders_a_day",
            ),
            "status": ("status 状态 狀態 运营状态 使用状态",),
            "zone": ("zone 所属网格 所辖网格 对应网格 服务网格 网格 所属社区 所辖社区 社区",),
            "team": ("team 队伍 队伍名称 服务队伍 专员队伍 网格队伍 责任队伍 负责队伍 包干队伍 所属队伍 服务队",),
            "link": ("link 链接 网址 二维码 二维码内容 导航链接 地图链接 url website",),
            "minutes": ("minutes 分钟 分钟数 服务分钟 服务分钟数",),
            "parent": ("parent 总站 所属总站 总站编号 总站名称 上级站点 主站 main_station parent_id part_of",),
            "floor": ("floor 楼层 所在楼层",),
            "area_m2": ("area_m2 面积 使用面积 可用面积 建筑面积",),
            "street_facing": ("street_facing 临街 是否临街 沿街 是否沿街",),
            "area": (
                "area area_id compound compound_id 小区 所属小区 所属小区编号 所属区域 院落 所属院落 所在小区",
                "district district_id 所属商圈 所属驿站 所属站点 所属商铺 所属单位 所属院区",
            ),
            "dense": ("dense 人员密集 是否人员密集 密集区",),
        }.items()
    }
)

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
#: in Simplified characters, as the text that is searched
_DATUM = re.compile(r"gcj-?_?0?2|bd-?_?0?9|火星|高德|百度|腾讯|amap|baidu", re.IGNORECASE)
_PERSON = re.compile(
    r"姓名|联系人|负责人|经办人|责任人|站长|店长|店主|老板|法人|骑手名|党员名|名单"
    r"|电话|手机|联系方式|微信|qq|邮箱|身份证|证件号|护照|政治面貌|党员身份"
    r"|phone|mobile|telephone|wechat|whatsapp|e?mail$|idcard|identitycard|identityno|passport"
    r"|contact|manager|owner|firstname|lastname|surname|fullname|personname|ridername|couriername"
    r"|^tel$|^telno$|^cell$|联络人|联络员|书记$|主任$|管理员$|值班人员?$|值守人员?$|网格员$|网格长$|专员$|队长$|组长$"
    r"|^(?:是否)?(?:中共)?党员$|^党派|政治身份|politicalstatus|partymember|staffname|drivername|座机"
    r"|(?:填报|填表|上报|申报|报告|采集|登记|记录|录入|申请|审核|调查|巡查|值班|承租|受访)人$|户主$|房东|房主|昵称|车牌"
    r"|出生日期|出生年月|生日|家庭住址|银行卡|社保号|birthday|birthdate|dateofbirth|bankcard"
)
#: what may stand between the groups of a person's number: blanks, dashes, what is not seen
_BETWEEN = "[-\\s\u00ad\u00b7\u2010-\u2015\u2212\u200b-\u200f\u2060\ufeff]?"
#: a mobile number, and an identity number with its date of birth, anywhere in a half-width cell; digits behind the
#: point of a decimal are neither
_PERSONAL_NUMBER = re.compile(
    rf"(?<![0-9])(?<!\b0\.)(?<![0-9]{{2}}\.)(?:(?:\+?86\)?{_BETWEEN})?1[3-9][0-9](?:{_BETWEEN}[0-9]{{4}}){{2}}"
    rf"|[1-9][0-9]{{5}}{_BETWEEN}(?:19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]){_BETWEEN}"
    r"[0-9]{3}[0-9Xx])(?![0-9])"
)
#: a name behind a person's part in the text, and in front of her number
_PARTS = (
    "联系人 联络人 联络员 负责人 经办人 责任人 值班人 值班人员 值守人员 管理员 站长 队长 组长 店长 店主 老板 房东 "
    "姓名"
)
_PART = re.compile(f"((?:{'|'.join(_PARTS.split())})(?:[:：]|[为是]) *)[\u4e00-\u9fff]{{2,3}}(?![\u4e00-\u9fff])")
#: what a text with either holds: a digit that ten characters follow, or a sign behind a part
_MAY_HOLD = re.compile("(?s:[0-9\uff10-\uff19].{10})|[人员长主板东名理][:：为是]")
#: what most Chinese names begin with
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_NAMED_NUMBER = re.compile(rf"(?<![\u4e00-\u9fff])[{SURNAMES}][\u4e00-\u9fff]{{1,2}}([:：,，、 （(]*\*\*\*)")
#: full-width digits, signs and letters as half-width ones, character by character
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
#: the last says it only beside others
_POLITICAL = frozenset(
    ["中共党员", "党员", "预备党员", "中共预备党员", "共青团员", "团员", "民主党派", "无党派", "无党派人士", "群众"]
)
_N_JUDGED = 200


def fold(header: str) -> str:
    """
    Return `header` as it is compared: half-width, lower case, Simplified, no blanks, `_`, `-` or brackets.

    Examples
    --------
    >>> fold("　Ｌｏｎ（度） "), fold("Opening-Hours"), fold("經 度")
    ('lon', 'openinghours', '经度')
    """
    text = _plain(header)
    return re.sub(r"[\s_\-*]+", "", _BRACKETS.sub("", text))


@functools.cache
def _ranks() -> Mapping[str, tuple[str, int]]:
    """Return each known header, folded, with its field and how sure that is."""
    return {
        fold(word): (field, rank)
        for field, words in SYNONYMS.items()
        for rank, word in reversed(list(enumerate(words)))
    }


def field_of(header: str, words: Mapping[str, str] | None = None) -> str | None:
    """
    Return the field that `header` means, or None for a header that is not known.

    `words` are the study's own headers, folded, and their fields; they win. A header that names a shifted datum is
    not known here: see `shifted_field` and `stated_datum`.

    Examples
    --------
    >>> field_of("经度"), field_of("Latitude"), field_of("lng_gcj02"), field_of("点位")
    ('lon', 'lat', None, None)
    >>> field_of("点位", {"点位": "name"})
    'name'
    """
    folded = fold(header)
    if words and folded in words:
        return words[folded]
    return None if stated_datum(header) else _ranks().get(folded, (None, 0))[0]


def rank_of(header: str, words: Mapping[str, str] | None = None) -> int:
    """Return how sure the field of a known header is: 0 is the surest, -1 a word of the study's own."""
    folded = fold(header)
    return -1 if words and folded in words else _ranks()[folded][1]


def stated_datum(header: str) -> str | None:
    """
    Return the shifted datum that a coordinate's header names, else None.

    Examples
    --------
    >>> stated_datum("lng_gcj02"), stated_datum("百度经度"), stated_datum("经度"), stated_datum("百度评分")
    ('gcj02', 'bd09', None, None)
    """
    found = _DATUM.search(_plain(header))
    if not found or shifted_field(header) is None:
        return None
    return "bd09" if re.match(r"bd|百度|baidu", found.group()) else "gcj02"


def shifted_field(header: str) -> str | None:
    """
    Return `lon` or `lat` for a header that names a shifted datum beside it, else None.

    Examples
    --------
    >>> shifted_field("lng_gcj02"), shifted_field("百度纬度"), shifted_field("lng")
    ('lon', 'lat', None)
    """
    text = _plain(header)
    if not _DATUM.search(text):
        return None
    rest = fold(_DATUM.sub("", text.replace("坐标", ""))).strip("0123456789")
    field = _ranks().get(rest, ("", 0))[0]
    return field if field in {"lon", "lat"} else None


def _plain(header: str) -> str:
    """Return a header in half-width, lower case and Simplified characters; 座標 is how Taiwan writes 坐标."""
    return simplified(unicodedata.normalize("NFKC", header).casefold()).replace("座标", "坐标")


def says_wgs84(header: str) -> bool:
    """Tell whether a coordinate's header names WGS 84, or CGCS2000, which is the same."""
    return field_of(header) in {"lon", "lat"} and bool(re.search("wgs84|cgcs2000", fold(header)))


def is_personal(header: str, cells: tuple[str, ...] = ()) -> bool:
    """
    Tell whether a column holds persons: their names, phones, identity numbers or political status.

    Judged by the header, and by the cells: half or more of the first 200 filled ones that hold a mobile number or
    an identity number, or that all are words of political status. A known header (`编号`, `人数`, ...) is never
    personal by its text.

    Examples
    --------
    >>> is_personal("联系电话"), is_personal("备注", ("张三 138-0013-8000", "")), is_personal("备注", ("靠近北门",))
    (True, True, False)
    """
    if field_of(header) is None and _PERSON.search(fold(header)):
        return True
    texts = (unicodedata.normalize("NFKC", cell).strip() for cell in cells)
    filled = [simplified(text) for text in itertools.islice(filter(None, texts), _N_JUDGED)]
    if filled and set(filled) <= _POLITICAL and set(filled) != {"群众"}:
        return True
    hits = sum(_PERSONAL_NUMBER.search(text) is not None for text in filled)
    return bool(filled) and 2 * hits >= len(filled)


def without_numbers(text: str) -> str:
    """
    Return a text with persons' mobile and identity numbers as `***`, and names beside them or behind a part.

    Examples
    --------
    >>> without_numbers("预约：138 0013 8000"), without_numbers("0.13800138000")
    ('预约：***', '0.13800138000')
    >>> without_numbers("站长：张三，李四 13800138000")
    '站长：***，*** ***'
    """
    if not _MAY_HOLD.search(text):
        return text
    rest, pieces = 0, []
    for found in _PERSONAL_NUMBER.finditer(text.translate(_HALF_WIDTH)):
        pieces += [text[rest : found.start()], "***"]
        rest = found.end()
    if pieces:
        text = _NAMED_NUMBER.sub(r"***\1", "".join([*pieces, text[rest:]]))
    return _PART.sub(r"\1***", text)
