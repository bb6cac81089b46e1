# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Names: plausible Chinese names, each given once; none is taken from a real place or firm on purpose."""

from __future__ import annotations

from numpy.random import Generator


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(word for line in lines for word in line.split())


_STREET_WORDS = _words(
    "永福 康怡 德政 文华 景明 兴业 长泰 安和 丰乐 翠微 秀山 锦绣 嘉禾 宏图 启明 育英 崇文 明德 仁爱",
    "和顺 福寿 富康 悦来 迎春 桃源 荷塘 柳岸 榕荫 木棉 凤凰 紫荆 金桂 银杏 青竹 白云 朝阳 晨光 望江",
    "听涛 观澜 沙涌 石桥 渡头 龙井 鹤鸣 鹿苑 麒麟 三元 五福 八宝 聚贤 集贤 尚学 博爱 同心 共和 团结",
    "勤俭 创业 创新 科苑 工业 机电 华光 华苑 华盛 宏基 恒昌 隆兴 裕民 惠民 利民 便民 乐民 新民 新安",
    "新丰 新兴 新城 老城 城西 城东 城北 城中 东堤 西堤 竹林 梅园 兰溪 菊坡 松岗 柏树 枫林 樟木 茶亭",
    "米行 盐埠 糖坊 酱园 布行 铁炉 砖窑 瓦窑 油榨 船厂 码头 花市 鱼栏 星河 月湾 云溪 清溪 碧泉 甘泉",
    "灵泉 玉泉 北斗 南斗 平安 太平 升平 永宁 永昌 永乐 万福 万安 万寿 千秋 百顺 怡景 怡乐 怡安 美景",
    "美居 康乐 康宁 健康 幸福 祥和 祥云 瑞云 瑞和 吉祥 如意 高科 高新 学苑 书香 文昌 文明 文笔",
)
_LANE_WORDS = _words(
    "卖鱼 打铁 豆腐 竹器 灯笼 纸扎 棉花 猪仔 牛栏 马房 石狮 井头 塘边 祠堂 庙前 桥头 水闸 榕树头 大井",
    "横沙 深塘 元兴 元福 仁里 义里 礼让 智勇 信德 孝友 忠厚 勤和 俭德 书塾 状元 进士 探花 举人 秀才",
    "半边 斜坡 曲尺 月角 星聚 陈家 李家 林家 黄家 梁家 何家 高家 郑家 刘家 萧家 杨家 余家",
)
_VILLAGES = ("上围", "新围", "石塘", "白沙", "东坑", "大塘", "竹湾", "水口")
_COMPOUND_HEADS = _words(
    "翠景 康怡 锦绣 丽景 雅居 碧水 金色 阳光 天悦 星汇 盛世 御景 华庭 尚品 东方 时代 城市 江畔 滨江",
    "竹苑 荷苑 枫丹 桂苑 榕苑 兰亭 香樟 蓝湾 银湾 悦城 和苑 福苑 祥苑 嘉苑 恒苑 名雅 名仕 富华 怡翠",
    "怡景 云麓 澜岸 永安 安居 乐居 惠民 职工 教师 供销 粮食局 水利局 邮电 机关 文教 城建 纺织厂 糖厂",
    "罐头厂 机械厂 印刷厂 船厂",
)
_COMPOUND_TAILS = ("花园", "雅苑", "新村", "华庭", "豪庭", "小区", "苑", "名居", "家园", "公寓")
_OLD_HEADS = _words(
    "职工 教师 供销 粮食局 水利局 邮电 机关 文教 城建 纺织厂 糖厂 罐头厂 机械厂 印刷厂 船厂",
)
_OLD_TAILS = ("宿舍", "新村", "小区", "宿舍区")
_WORKS_HEADS = _words(
    "兴达 恒力 宏远 联发 永固 金辉 精诚 华丰 鼎盛 万通 立新 三和 同创 顺成 捷丰 利源 新锐 中创",
)
_WORKS_TAILS = (
    "五金厂",
    "灯饰厂",
    "电子厂",
    "纺织厂",
    "工业园",
    "家具厂",
    "物流园",
    "食品厂",
    "印刷厂",
    "塑料制品厂",
)
_SCHOOL_HEADS = ("育英", "明德", "崇文", "实验", "新苗", "春晖", "启智", "博雅", "南苑", "新城", "尚学", "向阳")
_SCHOOL_TAILS = ("小学", "中学", "小学", "初级中学")
_PARKS = ("镜湖公园", "榕荫公园", "南岗公园", "荷风公园", "望江公园", "翠微公园", "紫荆公园", "清溪公园")
_SQUARES = ("市民广场", "南华广场", "文化广场")
_ZONES = _words(
    "永福 竹林 沙涌 康怡 望江 新城 石桥 悦来 长泰 荷塘 翠微 星河",
)
_SHOP_HEADS = _words(
    "阿婆 老街 巷口 福记 昌记 明记 强记 华记 泉记 荣记 珍姐 六叔 三婶 陈嫂 黄伯 小满 大暑 白露 谷雨",
    "春分 半山 一碗 三餐 四季 五味 七里 八方 九记 百味 千寻 满家乐 近邻 新街坊 老地方 街角 桥头 渡口",
    "榕树下 木棉 紫荆 小茉莉 甜水巷 红泥 青禾 稻花里 满堂 和家 悦家 安心 平安里 同安 济民 仁心 康宁里",
    "百草 益民 惠众 常青 晨曦 暮色",
)
#: trade (Chinese), OSM key, OSM value, endings of names, share
TRADES: tuple[tuple[str, str, str, tuple[str, ...], int], ...] = (
    ("餐饮", "amenity", "restaurant", ("饭店", "酒家", "茶餐厅", "小炒", "私房菜"), 24),
    ("快餐", "amenity", "fast_food", ("肠粉", "快餐", "牛杂", "粥粉面", "煲仔饭", "猪脚饭"), 26),
    ("饮品", "amenity", "cafe", ("奶茶", "咖啡", "凉茶铺", "糖水铺"), 12),
    ("便利店", "shop", "convenience", ("便利店", "士多", "小超市"), 20),
    ("超市", "shop", "supermarket", ("生活超市", "生鲜超市"), 5),
    ("药店", "amenity", "pharmacy", ("大药房", "药店"), 11),
    ("水果", "shop", "greengrocer", ("水果店", "鲜果"), 8),
    ("面包", "shop", "bakery", ("饼屋", "面包坊"), 7),
    ("电动车维修", "shop", "bicycle", ("电动车行", "车行"), 8),
    ("手机维修", "shop", "mobile_phone", ("手机维修", "通讯"), 6),
    ("理发", "shop", "hairdresser", ("理发店", "造型"), 7),
    ("五金", "shop", "hardware", ("五金店", "五金建材"), 5),
)


class Namer:
    """Gives every name once; the order of asking and the generator decide which."""

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self._used: set[str] = set()
        self._words = [str(w) for w in rng.permutation(_STREET_WORDS)]
        self._lanes = [str(w) for w in rng.permutation(_LANE_WORDS)]
        self._heads: list[str] = []
        self._villages = [str(w) for w in rng.permutation(_VILLAGES)]

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
        heads = self.rng.choice(_STREET_WORDS, 2)
        return self.take(heads[0][0] + heads[1][-1] + ending)

    def village(self) -> str:
        """Return the name of a village; its lanes are numbered."""
        return self._villages.pop() if self._villages else "新"

    def lane(self, village: str | None, number: int) -> str:
        """Return the name of a lane: numbered in a village, an old word in the old quarter."""
        if village is not None:
            return self.take(f"{village}{_chinese(number)}巷")
        if self._lanes:
            return self.take(self._lanes.pop() + "巷")
        heads = self.rng.choice(_LANE_WORDS, 2)
        return self.take(heads[0][0] + heads[1][0] + "里")

    def area(self, use: str) -> str:
        """Return the name of a compound, school, park and the like."""
        rng = self.rng
        if use == "compound":
            name = self._compound()
        elif use == "works":
            name = self._pick(_WORKS_HEADS) + self._pick(_WORKS_TAILS)
        elif use == "school":
            name = self._pick(_SCHOOL_HEADS) + self._pick(_SCHOOL_TAILS)
        elif use == "park":
            name = self._pick(_PARKS)
        elif use == "square":
            name = self._pick(_SQUARES)
        elif use == "zone":
            return self.take(f"{self._pick([z for z in _ZONES if f'{z}社区' not in self._used] or _ZONES)}社区")
        else:
            name = {"hospital": "街道社区卫生服务中心", "office": "街道办事处", "college": "岭秀职业学院"}[use]
        if name in self._used and use in ("compound", "works", "school", "park", "square") and rng.random() < 0.97:
            return self.area(use)
        return self.take(name)

    def _compound(self) -> str:
        """Return the name of a compound: every head once before any comes again."""
        if not self._heads:
            self._heads = [str(w) for w in self.rng.permutation(_COMPOUND_HEADS)]
        head = self._heads.pop()
        tails = _OLD_TAILS if head in _OLD_HEADS else _COMPOUND_TAILS
        return head + self._pick([tail for tail in tails if tail[-1] not in head])

    def shop(self) -> tuple[str, str, str, str]:
        """Return name, trade, OSM key and OSM value of a shop."""
        share = [trade[4] for trade in TRADES]
        k = int(self.rng.choice(len(TRADES), p=[s / sum(share) for s in share]))
        trade, key, value, endings, _ = TRADES[k]
        for _ in range(20):
            name = self._pick(_SHOP_HEADS) + self._pick(endings)
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
