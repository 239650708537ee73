"""Bylines in Chinese, Japanese and Korean, whose words no spaces part: names between posts, places and outlets."""

import re

from enrich.reference.agencies import AGENCIES
from enrich.reference.directory import BylineName, Contribution

LETTER = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")
OTHER_LETTER = re.compile(r"[A-Za-z\u00c0-\u024f\u0400-\u04ff]")
WIDE = str.maketrans("（）［］【】〔〕〖〗：＝／，；｜＆　", "()[][][][]:=/,;|& ")
HAN_NAME = re.compile(r"[\u3400-\u9fff々]{2,4}")
KANA_NAME = re.compile(r"[\u3400-\u9fff々\u3040-\u309f\u30a1-\u30fa\u30fc]{2,8}")
FOREIGN_NAME = re.compile(
    r"[\u30a1-\u30fa\u30fc]{2,}(?:[・·=][\u30a1-\u30fa\u30fc]{2,}){1,3}|[\u4e00-\u9fff]{1,5}(?:·[\u4e00-\u9fff]{1,5}){1,2}"
)
HANGUL_NAME = re.compile(r"[\uac00-\ud7af]{2,4}")
KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fc]+")

ROLE_WORDS: tuple[tuple[Contribution, str], ...] = (
    (
        "photography",
        "摄影记者|攝影記者|摄影|攝影|写真・動画|写真|撮影|图片|圖片|图/视频|图|圖|図|摄|攝|视频|視頻|影像|动画|動画|制图|製圖|사진|영상|그래픽|촬영",
    ),
    (
        "editing",
        "责任编辑|責任編輯|责编|責編|执行编辑|编辑|編輯|编审|校对|校對|校閲|监制|監修|主编|審核|审核|統籌|统筹|편집",
    ),
    ("translation", "编译|編譯|翻译|翻譯|翻訳|译者|譯者|译|譯|訳|번역"),
    (
        "writing",
        "取材・文|取材・構成|取材・執筆|取材|構成|執筆|筆者|寄稿|聞き手|文字|撰文|撰稿人|撰稿|特约撰稿|採訪|采写|采访|综合|文・写真|文/图|文、图|文|作者|记者|記者|ライター|글·사진|글ㆍ사진|글/사진|글|취재|정리|구성|기고|인터뷰",
    ),
)
"""By contribution the words that stand before names."""
ROLE = re.compile(
    r"(?:(?<=^)|(?<=[\s,、;|/()\[\]]))(?:"
    + "|".join(f"(?P<{role}>{words})" for role, words in ROLE_WORDS)
    + r")(?:\s*[:/・·＝=|]\s*|\s+)(?=[^\s])"
    # Written together with the name behind it.
    r"|(?<=^)(?P<translated>編譯|编译)(?=[\u3400-\u9fff]{2,4}(?:$|[/,、 ]))"
)
HAN_POST = r"(?:(?:特约|特約|实习|實習|见习|驻外|驻\S{2,4}|首席|高级|资深|特派|財經|體育|政治)?(?:记者|記者|通讯员|通訊員|实习生|實習生|特派员|特派員|评论员|評論員|撰稿人|编辑|編輯|主笔|研究员|研究員|教授|博士|律师))"
OUTLET_POST = re.compile(rf"^[^\s,、/;:]{{0,10}}?{HAN_POST}(?=[\u3400-\u9fff\s]|$)")
"""`新华社记者`, `本报记者`, `記者`: an outlet and a post before a name."""
REPORTED = re.compile(
    r"^(?P<name>[\u3400-\u9fff]{2,4}?)[\s/]*(?P<place>[\u3400-\u9fff]{2,5}?)?[\s]*(?:综合|綜合|即時|即时|现场|現場|连线|专电|專電|报道|報道|报导|報導|专稿|電|电)(?:报道|報道|報導)?$"
)
ONLY_REPORT = re.compile(
    r"^(?P<place>[\u3400-\u9fff]{0,5}?)(?:综合|綜合|连线|即時|即时|现场|現場)?(?:专电|專電|报道|報道|报导|報導|外电|外電)$"
)
JAPANESE_POST = re.compile(
    r"^(?:\S*?(?:編集委員|論説委員|解説委員|編集長|支局長|支局|通信員|特派員|記者|部長|デスク|ライター|アナウンサー|教授|評論家|コラムニスト))$"
)
AFTER_POST = re.compile(r"(?:編集委員|論説委員|特派員|通信員|支局長|記者|さん|氏|教授)$")
KOREAN_POST = re.compile(
    r"\s*(?:(?:선임|수습|인턴|객원|전문|대|시민|탐사|사진|영상|정치|경제|사회|의학|과학|스포츠|문화|국제|여행|음식|보건|환경|교육|법조|산업|부동산|증권|북한|군사|종교|방송|영상취재|순회)?(?:전문)?(?:기자|특파원)|논설위원|논설실장|칼럼니스트|평론가|앵커|아나운서|통신원|에디터|리포터|편집위원|객원교수|교수|작가|변호사|대표|PD|피디)(?=$|[\s,·ㆍ/=()\[\]])\s*=?"
)
KOREAN_PLACE = re.compile(
    r"^[\[(]?\s*(?P<place>[가-힣]{2,6})\s*=\s*(?:(?:연합뉴스|뉴시스|뉴스1|[가-힣]{2,8}(?:뉴스|신문|일보|통신|닷컴))\s*)?[\])]?\s*"
)
KOREAN_PLACE_BEHIND = re.compile(r"\s*=\s*(?P<place>[가-힣]{2,6})$")
JAPANESE_PLACE_BEHIND = re.compile(
    r"(?P<rest>[\u3400-\u9fff々\u3040-\u309f]{3,6})\s*=\s*(?P<place>[\u30a1-\u30fa\u30fc]{2,8})"
)
HAN_PLACE = re.compile(r"^\[?\s*(?P<place>[\u30a1-\u30fa\u30fc\u3400-\u9fff]{2,8})\s*=\s*(?P<rest>\S.*?)\]?$")
NO_NAME = re.compile(
    r"(?:社|部|局|网|網|台|报|報|日报|新闻|新聞|通信|讯|訊|报道|報道|報導|评论员|評論員|室|组|組|团|中心|委员会|委員会|デスク|班|取材班|チーム|編集|オンライン|ニュース|专电|小编|編集部"
    r"|팀|부|국|뉴스|신문|일보|방송|통신|닷컴|온라인|데스크|저널|투데이|미디어|취재단|본부|센터|위원회|제공)$"
)
HAN_SHOT = re.compile(r"(?<=[\u3400-\u9fff])\s+[摄攝文图圖]$")
DOUBLE_SURNAMES = ("남궁", "황보", "제갈", "선우", "독고", "사공", "동방", "서문")
KOREAN_PLACES = frozenset(
    "서울 부산 대구 인천 광주 대전 울산 세종 제주 수원 춘천 전주 청주 창원 도쿄 오사카 베이징 상하이 홍콩 워싱턴 뉴욕 런던 파리 베를린 모스크바 하노이 방콕 로마 자카르타 시드니 싱가포르 타이베이".split()  # noqa: SIM905
)
AI_WORDS = re.compile(r"AI|人工智能|人工知能|生成|机器人|自动|自動|인공지능|로봇|자동")
SURNAMES = frozenset(
    "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎余潘杜戴夏钟鍾汪任姜范方石姚谭譚廖邹熊金陆陸郝孔白崔康毛邱秦江史顾顧侯邵孟龙龍万萬段雷钱錢汤湯尹黎易常武乔喬贺賀赖賴龚龔文欧歐"
)
"""The commonest Chinese surnames: two words that both begin with one are two people, and no Japanese surname and name."""
HAN_PLACES = tuple(
    """
    北京 上海 广州 廣州 深圳 天津 重庆 武汉 成都 南京 杭州 西安 香港 澳门 澳門 台北 臺北 新北 桃園 新竹 台中 臺中 台南 臺南 高雄 花蓮 屏東 基隆 嘉義 宜蘭 苗栗 彰化 南投 雲林 東京 东京 大阪
    首尔 首爾 华盛顿 華盛頓 纽约 紐約 洛杉矶 洛杉磯 旧金山 舊金山 伦敦 倫敦 巴黎 柏林 莫斯科 布鲁塞尔 布魯塞爾 日内瓦 日內瓦 罗马 羅馬 曼谷 新德里 开罗 開羅 耶路撒冷 新加坡 吉隆坡 雅加达 雅加達 河内 河內 平壤 悉尼 雪梨 堪培拉 联合国 聯合國
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)


def is_east_asian(text: str) -> bool:
    """Whether a byline is mostly in Han, kana or Hangul."""
    if text.isascii():
        return False
    return len(LETTER.findall(text)) > len(OTHER_LETTER.findall(text))


def read_east_asian(text: str) -> list[BylineName]:
    """The names of a byline, with what each contributed and from where."""
    text = re.sub(r"\s*\n\s*", " / ", text.translate(WIDE)).strip()
    names: list[BylineName] = []
    for role, part in _parts(text):
        found, place = _names(part)
        if not found and place and names:
            for name in names:
                name.located = name.located or place
        names.extend(BylineName(name, role, place) for name in found)
    if not names:
        bare = re.sub(r"[\s()\[\]]", "", text)
        if bare.casefold() in AGENCIES:
            return [BylineName(bare, kind="agency")]
    return list({(name.name, name.contribution): name for name in names}.values())


def _parts(text: str) -> list[tuple[Contribution, str]]:
    roles = {"translated": "translation"}
    cuts = [(each.start(), each.end(), roles.get(each.lastgroup or "", each.lastgroup)) for each in ROLE.finditer(text)]
    parts: list[tuple[Contribution, str]] = [("writing", text[: cuts[0][0]] if cuts else text)]
    for index, (_, end, role) in enumerate(cuts):
        until = cuts[index + 1][0] if index + 1 < len(cuts) else len(text)
        contribution: Contribution = role  # type: ignore[assignment]
        parts.append((contribution, text[end:until]))
    return [(role, part.strip(" ,、;|/")) for role, part in parts if part.strip(" ,、;|/")]


def _names(part: str) -> tuple[list[str], str | None]:
    """The names of one list, and the place that holds for them."""
    place: str | None = None
    if found := KOREAN_PLACE.match(part):
        place, part = found["place"], part[found.end() :]
    elif (found := JAPANESE_PLACE_BEHIND.fullmatch(part)) or (found := HAN_PLACE.match(part)):
        place, part = found["place"], found["rest"]
    elif (found := KOREAN_PLACE_BEHIND.search(part)) and found["place"] in KOREAN_PLACES:
        place, part = found["place"], part[: found.start()]
    part = HAN_SHOT.sub("", KOREAN_POST.sub(" ", part)).strip(" =")
    names: list[str] = []
    for item in re.split(r"\s*[,、;|/&]\s*|\s*[()\[\]]\s*", part):
        for name, located in _of_item(item.strip()):
            place = located or place
            if name:
                names.append(name)
    return names, place


def _of_item(item: str) -> list[tuple[str, str | None]]:  # noqa: PLR0911 -- a table of cases
    """The names of what stands between two commas."""
    item = (
        OUTLET_POST.sub("", item).strip()
        if not AFTER_POST.sub("", item).isspace() and not _is_named_post(item)
        else item
    )
    if not item:
        return []
    if found := ONLY_REPORT.match(item):
        place = found["place"]
        is_name = place not in HAN_PLACES and 2 <= len(place) <= 3 and place[0] in SURNAMES
        if (len(place) < 4 or place in HAN_PLACES) and not is_name:
            return [("", place or None)]
    if (found := REPORTED.match(item)) and not NO_NAME.search(found["name"]):
        return _reported(item)
    if FOREIGN_NAME.fullmatch(item):
        return [(item, None)]
    tokens = [token for token in re.split(r"[\s・·ㆍ]+", item) if token]
    if len(tokens) > 1:
        tokens = [
            token
            for token in tokens
            if not JAPANESE_POST.match(token) or (AFTER_POST.sub("", token) != "" and _is_named_post(token))
        ]
        reports = [found for token in tokens if (found := ONLY_REPORT.match(token))]
        located = _place(reports[0]["place"]) if reports else None
        tokens = [token for token in tokens if not ONLY_REPORT.match(token)]
        if len(tokens) == 2 and "・" not in item and _is_one_name(*tokens):
            return [(" ".join(tokens), located)]
        names = [(name, located) for token in tokens for name, _ in _of_item(token)]
        return names or [("", located)]
    token = AFTER_POST.sub("", tokens[0]) if tokens else ""
    return [(token, None)] if _is_name(token) else []


def _is_named_post(item: str) -> bool:
    """`山田太郎記者`: a name with its post behind it."""
    bare = AFTER_POST.sub("", item)
    return (
        bare != item
        and 3 <= len(bare) <= 5
        and not NO_NAME.search(bare)
        and not bare.startswith(("本", "中", "新", "人民", "共同"))
    )


def _is_one_name(surname: str, given: str) -> bool:
    """`山田 太郎`: a surname and a name; not two people."""
    if not (KANA_NAME.fullmatch(surname) or len(surname) == 1) or not (KANA_NAME.fullmatch(given) or len(given) == 1):
        return False
    if KATAKANA.fullmatch(surname) or NO_NAME.search(surname + given) or len(surname) > 3 or len(given) > 4:
        return False
    if len(surname) == 1 or len(given) == 1:
        return True
    both = surname[0] in SURNAMES and given[0] in SURNAMES
    return not both and len(surname) + len(given) <= 6 and not (len(surname) >= 3 and len(given) >= 3)


def _reported(item: str) -> list[tuple[str, str | None]]:
    words = re.sub(
        r"[\s/]*(?:综合|綜合|即時|即时|现场|現場|连线)?(?:专电|專電|报道|報道|报导|報導|专稿|电|電)$", "", item
    )
    words = re.sub(r"(?:综合|綜合)$", "", words).strip(" /")
    for place in HAN_PLACES:
        if words.endswith(place) and _is_name(name := words[: -len(place)].strip(" /")):
            return [(name, place)]
    parts = words.split()
    if len(parts) == 2:
        return [(parts[0], _place(parts[1]))] if _is_name(parts[0]) else []
    name, place = (words[:3], words[3:]) if len(words) > 3 else (words, "")
    return [(name, _place(place))] if _is_name(name) else []


def _place(words: str) -> str | None:
    return words or None


def _is_name(token: str) -> bool:
    if token in AGENCIES or NO_NAME.search(token) or AI_WORDS.search(token):
        return False
    if HANGUL_NAME.fullmatch(token):
        return token not in KOREAN_PLACES and (len(token) < 4 or token.startswith(DOUBLE_SURNAMES))
    if KATAKANA.fullmatch(token):
        return False
    return HAN_NAME.fullmatch(token) is not None or KANA_NAME.fullmatch(token) is not None
