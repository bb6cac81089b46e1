"""Words that the names of a made-up town are put together from; none is meant to be a real place or firm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

#: trade (Chinese), OSM key, OSM value, endings of names, share
Trade: TypeAlias = tuple[str, str, str, tuple[str, ...], int]


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for line in lines for word in line.split()))


@dataclass(frozen=True)
class Words:
    """The words of one region; the defaults are those of `data/nanqu`, in the south."""

    streets: tuple[str, ...] = _words(
        "永福 康怡 德政 文华 景明 兴业 长泰 安和 丰乐 翠微 秀山 锦绣 嘉禾 宏图 启明 育英 崇文 明德 仁爱",
        "和顺 福寿 富康 悦来 迎春 桃源 荷塘 柳岸 榕荫 木棉 凤凰 紫荆 金桂 银杏 青竹 白云 朝阳 晨光 望江",
        "听涛 观澜 沙涌 石桥 渡头 龙井 鹤鸣 鹿苑 麒麟 三元 五福 八宝 聚贤 集贤 尚学 博爱 同心 共和 团结",
        "勤俭 创业 创新 科苑 工业 机电 华光 华苑 华盛 宏基 恒昌 隆兴 裕民 惠民 利民 便民 乐民 新民 新安",
        "新丰 新兴 新城 老城 城西 城东 城北 城中 东堤 西堤 竹林 梅园 兰溪 菊坡 松岗 柏树 枫林 樟木 茶亭",
        "米行 盐埠 糖坊 酱园 布行 铁炉 砖窑 瓦窑 油榨 船厂 码头 花市 鱼栏 星河 月湾 云溪 清溪 碧泉 甘泉",
        "灵泉 玉泉 北斗 南斗 平安 太平 升平 永宁 永昌 永乐 万福 万安 万寿 千秋 百顺 怡景 怡乐 怡安 美景",
        "美居 康乐 康宁 健康 幸福 祥和 祥云 瑞云 瑞和 吉祥 如意 高科 高新 学苑 书香 文昌 文明 文笔",
    )
    lanes: tuple[str, ...] = _words(
        "卖鱼 打铁 豆腐 竹器 灯笼 纸扎 棉花 猪仔 牛栏 马房 石狮 井头 塘边 祠堂 庙前 桥头 水闸 榕树头 大井",
        "横沙 深塘 元兴 元福 仁里 义里 礼让 智勇 信德 孝友 忠厚 勤和 俭德 书塾 状元 进士 探花 举人 秀才",
        "半边 斜坡 曲尺 月角 星聚 陈家 李家 林家 黄家 梁家 何家 高家 郑家 刘家 萧家 杨家 余家",
    )
    villages: tuple[str, ...] = ("上围", "新围", "石塘", "白沙", "东坑", "大塘", "竹湾", "水口")
    compounds: tuple[str, ...] = _words(
        "翠景 康怡 锦绣 丽景 雅居 碧水 金色 阳光 天悦 星汇 盛世 御景 华庭 尚品 东方 时代 城市 江畔 滨江",
        "竹苑 荷苑 枫丹 桂苑 榕苑 兰亭 香樟 蓝湾 银湾 悦城 和苑 福苑 祥苑 嘉苑 恒苑 名雅 名仕 富华 怡翠",
        "怡景 云麓 澜岸 永安 安居 乐居 惠民 职工 教师 供销 粮食局 水利局 邮电 机关 文教 城建 纺织厂 糖厂",
        "罐头厂 机械厂 印刷厂 船厂",
    )
    compound_tails: tuple[str, ...] = ("花园", "雅苑", "新村", "华庭", "豪庭", "小区", "苑", "名居", "家园", "公寓")
    old_compounds: tuple[str, ...] = _words(
        "职工 教师 供销 粮食局 水利局 邮电 机关 文教 城建 纺织厂 糖厂 罐头厂 机械厂 印刷厂 船厂",
    )
    old_tails: tuple[str, ...] = ("宿舍", "新村", "小区", "宿舍区")
    works: tuple[str, ...] = _words(
        "兴达 恒力 宏远 联发 永固 金辉 精诚 华丰 鼎盛 万通 立新 三和 同创 顺成 捷丰 利源 新锐 中创",
    )
    works_tails: tuple[str, ...] = (
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
    schools: tuple[str, ...] = (
        "育英",
        "明德",
        "崇文",
        "实验",
        "新苗",
        "春晖",
        "启智",
        "博雅",
        "南苑",
        "新城",
        "尚学",
        "向阳",
    )
    school_tails: tuple[str, ...] = ("小学", "中学", "小学", "初级中学")
    parks: tuple[str, ...] = (
        "镜湖公园",
        "榕荫公园",
        "南岗公园",
        "荷风公园",
        "望江公园",
        "翠微公园",
        "紫荆公园",
        "清溪公园",
    )
    squares: tuple[str, ...] = ("市民广场", "南华广场", "文化广场")
    zones: tuple[str, ...] = _words(
        "永福 竹林 沙涌 康怡 望江 新城 石桥 悦来 长泰 荷塘 翠微 星河",
    )
    shops: tuple[str, ...] = _words(
        "阿婆 老街 巷口 福记 昌记 明记 强记 华记 泉记 荣记 珍姐 六叔 三婶 陈嫂 黄伯 小满 大暑 白露 谷雨",
        "春分 半山 一碗 三餐 四季 五味 七里 八方 九记 百味 千寻 满家乐 近邻 新街坊 老地方 街角 桥头 渡口",
        "榕树下 木棉 紫荆 小茉莉 甜水巷 红泥 青禾 稻花里 满堂 和家 悦家 安心 平安里 同安 济民 仁心 康宁里",
        "百草 益民 惠众 常青 晨曦 暮色",
    )
    #: trade (Chinese), OSM key, OSM value, endings of names, share
    trades: tuple[Trade, ...] = (
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
    #: what the names of streets end in: the widest, other main roads, side streets
    avenue: str = "大道"
    road: str = "路"
    street: str = "街"
    zone_tail: str = "社区"
    college: str = "岭秀职业学院"

    def with_trades(self, **endings: str) -> Words:
        """Return the words with other endings for the shops of some trades, blanks between them."""
        trades = tuple(
            (name, key, value, tuple(endings.get(value, "").split()) or own, share)
            for name, key, value, own, share in self.trades
        )
        return replace(self, trades=trades)


SOUTH = Words()
#: heads of the names of shops that are at home anywhere
_SHOPS = _words(
    "老街 巷口 福记 昌记 明记 强记 泉记 荣记 小满 大暑 白露 谷雨 春分 半山 一碗 三餐 四季 五味 七里 八方 九记",
    "百味 千寻 满家乐 近邻 新街坊 老地方 街角 桥头 稻花里 满堂 和家 悦家 安心 平安里 同安 济民 仁心 康宁里",
    "百草 益民 惠众 常青 晨曦 暮色 张记 老李 王姐 马家",
)

SHANGHAI = replace(
    SOUTH,
    shops=(*_SHOPS, *_words("弄堂口 石库门 阿娘 老克勒 宁波 小绍兴 苏北 沪上 春申")),
    streets=_words(
        "延平 彭江 柳营 灵岩 万川 汶川 广延 洛阳 平遥 高陵 沪安 场中 永和 原宁 阳曲 三泉 临潼 保定 长兴 闻喜",
        "沁源 乡宁 运城 介休 临汾 安泽 粤秀 老沪 康宁 洪洞 汾西 绛县 曲沃 翼城 河津 稷山 芮城 永济 万荣 夏县",
        "平陆 垣曲 霍山 灵丘 广灵 浑源 应县 怀仁 右玉 山阴 朔平 宁武 静乐 神池 五台 定襄 忻州 原平 代州 繁峙",
        "普善 新马 中山北 芷江 和田 虬江 宝昌 天通 象山 止园 青云 同心 三阳 永兴 海昌 宝通 太阳山 中兴 大统",
    ),
    lanes=_words("延平 柳营 灵岩 广延 洛阳 普善 芷江 和田 宝昌 青云 同心 三阳 永兴 海昌 宝通 大统 中兴 止园"),
    villages=("谈家宅", "彭家浜", "潘家湾", "沈家宅"),
    compounds=_words(
        "延峰 大华 慧芝 宁和 彭江 柳营 粤秀 沪太 新梅 静鼎 慧丰 阳城 广盛 上工 明园 嘉利 万里 绿洲 云都 晶采",
        "春和 新泉 金盛 紫宁 香溢 馨都 静安 恒升 盛源 丽都 运城 汾西 洛川 灵石 平型 东茭 延长 三泉 共康 新城",
        "铁路 纺机 自来水 市政 冶金 机床 电表",
    ),
    compound_tails=("新村", "公寓", "名苑", "花园", "家园", "坊", "苑", "小区", "华庭"),
    old_compounds=_words("铁路 纺机 自来水 市政 冶金 机床 电表"),
    old_tails=("新村", "一村", "二村", "三村", "工房"),
    parks=("柳浦绿地", "灵岩公园", "广中绿地", "三泉绿地", "彭浦绿地", "延平绿地"),
    squares=("宁汇广场", "音乐广场", "久汇广场"),
    zones=_words("东 南 西 北"),
    zone_tail="网格",
    college="沪北职业学院",
    avenue="路",
).with_trades(
    restaurant="本帮菜馆 饭店 酒家 小馆 私房菜",
    fast_food="生煎 馄饨 面馆 盖浇饭 葱油饼 快餐",
    cafe="咖啡 奶茶 茶饮 甜品",
    convenience="便利店 烟杂店 小超市",
)

DATONG = replace(
    SOUTH,
    shops=(*_SHOPS, *_words("云中 代王府 古城 雁北 塞上 恒山 兰花 城墙根 北魏")),
    streets=_words(
        "平泉 永泰 和阳 清远 武定 御东 文瀛 云州 太和 恒安 兴云 迎宾 向阳 同泉 魏都 北魏 文兴 兴国 开源 永安",
        "振华 新建 新华 矿建 同煤 口泉 云中 平旺 西苑 东苑 南苑 北苑 柳港 柳泉 马军营 白马 古城 御河 桑干 恒山",
        "鼓楼 钟楼 大有仓 帅府 县角 司衙 教场 校尉 欢乐 仁和 同和 顺城 迎春 兴华 青年 工农 建设 团结 胜利 和平",
        "光明 五一 友谊 幸福 前进 红旗 车站 站前 站北 化工 机车 水泥 煤机 电建 柴油机 医专 师范 卧虎湾 文昌 会展",
    ),
    lanes=_words(
        "鼓楼 帅府 县角 教场 校尉 柴市 米市 院 狮子 蔡家 李怀 葛家 杨家 户部 大皮 小皮 油店 炭市 草帽 仓门 财神",
    ),
    villages=("马家堡", "寺儿村", "沙岭", "陈庄", "红卫庄", "小站"),
    compounds=_words(
        "太和 恒安 御馨 魏都 平城 云锦 文瀛 金色 御河 星港 永泰 凯德 福苑 悦城 新悦 西京 雁同 龙港 桐城 东信",
        "滨河 柳港 天泉 泰瑞 翡翠 绿洲 春天 名都 泉秀 向阳 惠民 安馨 同馨 锦泰 帝景 水泉 幸福 明堂 阳光 御东",
        "煤机 机车 柴油机 电建 水泥 化工 师范 铁路 供电 矿务",
    ),
    compound_tails=("花园", "小区", "家园", "里", "苑", "城", "华府", "名邸"),
    old_compounds=_words("煤机 机车 柴油机 电建 水泥 化工 师范 铁路 供电 矿务"),
    old_tails=("宿舍", "家属院", "小区", "生活区"),
    works_tails=("物流园", "建材市场", "煤机厂", "汽配城", "机械厂", "食品厂", "蔬菜批发市场"),
    schools=("平泉", "太和", "云州", "向阳", "文瀛", "实验", "育才", "御东", "魏都", "恒安"),
    parks=("文瀛湖公园", "太和公园", "御河公园", "柳港公园", "智家堡公园", "儿童公园"),
    squares=("文化广场", "太阳宫广场", "平泉广场"),
    zones=_words("太和 永泰 平泉 文瀛 柳港 恒安 寺儿村 云州"),
    college="云州职业学院",
    avenue="大街",
).with_trades(
    restaurant="饭店 羊肉馆 莜面馆 铜火锅 家常菜",
    fast_food="刀削面 羊杂割 包子铺 饺子馆 快餐 油糕",
    cafe="奶茶 咖啡 茶社",
    convenience="便利店 烟酒店 小卖部",
)

LANZHOU = replace(
    SOUTH,
    shops=(*_SHOPS, *_words("金城 陇上 黄河边 水车 皋兰 丝路 马有财 穆家 河口")),
    streets=_words(
        "永昌 武都 庆阳 甘南 酒泉 张掖 金昌 平凉 定西 天水 民主 农民 和政 火车站 红星 拱星 皋兰 五泉 靖远 通渭",
        "白银",
        "中山 安定 会宁 渭源 临夏 秦安 静宁 陇西 民勤 古浪 山丹 高台 玉门 敦煌 嘉峪 金塔 瓜州 阳关 华林 建西 建兰",
        "敦煌 滨江 柳沟 雁滩 段家滩 南砖瓦 宁卧 北面滩 天庆 鱼池 大沙坪 徐家湾 盐场 草场 九州 兰工 兰棉 毛纺 河桥",
    ),
    lanes=_words("木塔 山字石 贡元 颜家 箭道 曹家 会馆 耿家 双城 水车 仓门 官驿 绣河 黄家园 官升 道升 井儿 小沟"),
    villages=("石门沟", "后坪", "柳沟"),
    compounds=_words(
        "鸿运 天庆 建宁 雁园 金河 河畔 兰馨 陇原 黄河 水岸 山水 嘉园 皋兰 五泉 名城 兰苑 银滩 金港 飞天 敦煌 丝路",
        "天河 春晓 陇上 雅荷 盛世 世纪 安居 众邦 鑫港 河洲 牡丹 百合 玫瑰 雁北 宁卧",
        "兰棉 毛纺 石油 铁路 煤炭 农机 机床 教育 供销 民航",
    ),
    compound_tails=("花园", "小区", "家园", "苑", "润园", "公寓", "名居"),
    old_compounds=_words("兰棉 毛纺 石油 铁路 煤炭 农机 机床 教育 供销 民航"),
    old_tails=("家属院", "小区", "新村", "住宅区"),
    works_tails=("机械厂", "物流园", "建材市场", "食品厂", "毛纺厂"),
    schools=("建宁", "永昌", "河畔", "实验", "东方红", "水车", "安定", "静宁"),
    parks=("水车园", "河畔公园", "陇原绿地", "后坪公园", "牡丹园"),
    squares=("东方广场", "水车广场", "河畔广场"),
    zones=_words("建宁东 建宁西 河畔 永昌 后坪 石门 安定"),
    zone_tail="网格",
    college="省委党校",
).with_trades(
    restaurant="手抓羊肉 饭庄 火锅 清真餐厅 家常菜",
    fast_food="牛肉面 酿皮 炒面片 浆水面 灰豆子 快餐",
    cafe="奶茶 咖啡 三炮台茶园 甜醅",
    convenience="便利店 烟酒店 小超市",
)

HAIKOU = replace(
    SOUTH,
    streets=_words(
        "金园 玉沙 世贸 金贸 国贸 龙华 龙昆 椰海 南沙 滨濂 坡博 坡巷 金盘 金牛 金花 金山 金濂 面前坡 义龙 海秀",
        "侨中 城西 学院 丁村 昌茂 苍峰 南航 高坡 红城 湖畔 椰林 椰风 海瑞 羊山 石山 琼苑 琼华 南宝 华海 玉河 紫荆",
        "美舍 桐梓 凤翔 兴丹 迎宾 板桥 万恒 山内 山高 蓝天 白驹 滨涯 文坛 大英 和平 文明 博爱 得胜 解放 新华 中山",
    ),
    lanes=_words("坡巷 石井 老榕 椰树 牛圩 猪行 打铁 居仁 义兴 水巷 龙文 西庙 关上 大庙 竹林 南联 面前 滨濂"),
    villages=("坡博", "面前坡", "滨濂", "金盘"),
    compounds=_words(
        "金濂 椰岛 椰风 海棠 蓝城 滨海 昌茂 金鹿 金坡 豪苑 玉沙 世纪 华海 碧海 龙泉 南沙 阳光 海岸 银湾 紫荆 琼华",
        "侨中 城西 星海 椰城 万恒 兴丹 山水 海韵 金花 南海 海瑞 南航 榕树 三叶 绿岛 丽晶 明珠 信恒 怡和",
        "农垦 糖厂 罐头厂 机修厂 侨联 电力 供销 水产",
    ),
    compound_tails=("花园", "小区", "公寓", "家园", "苑", "名邸", "豪庭", "城"),
    old_compounds=_words("农垦 糖厂 罐头厂 机修厂 侨联 电力 供销 水产"),
    old_tails=("宿舍", "小区", "新村", "大院"),
    works_tails=("汽修城", "物流园", "食品厂", "水产市场", "家具城", "建材市场"),
    schools=("金宇", "坡博", "海秀", "实验", "椰林", "琼苑", "城西", "南沙"),
    parks=("金牛湖公园", "椰风公园", "面前坡公园", "滨濂公园", "海瑞公园"),
    squares=("骑楼广场", "椰城广场", "金宇广场"),
    zones=_words("坡博 金坡 豪苑 面前坡 滨濂 金盘 南沙 昌茂"),
    college="琼岛职业学院",
).with_trades(
    restaurant="椰子鸡 海鲜大排档 饭店 文昌鸡饭店 私房菜",
    fast_food="海南粉 抱罗粉 猪脚饭 鸡饭 斋菜煲 快餐",
    cafe="老爸茶 清补凉 奶茶 咖啡",
    convenience="便利店 士多 小超市",
)
