"""The words that speak of harm, and what around them says that it is denied, long past, of others, or no harm at all.

Patterns, not judgements: whatever they find is a private task for the head of a unit (D25), never a report. They read
what staff write in Chinese, and plain English; each is tried at every place of a text, so all begin with a letter.
"""

from __future__ import annotations

import re
from typing import Final

_KIN = (
    "爸爸?|妈妈?|父亲?|母亲?|爹|娘|继[父母]|养[父母]|[公婆岳][父母公婆]|后[爸妈爹]|爷爷|奶奶|外[公婆]|祖[父母]|叔叔?|伯伯?|舅[舅公]?|姑[姑父]?|姨[父妈]?"
    "|[表堂]?[哥姐弟]|妹妹?|儿子|女儿|孙[子女]|儿媳|女婿|媳妇|丈夫|老公|妻子?|老婆|男方|女方|家长|保姆|亲戚"
)
_WHOM = (
    r"(?:我|他|她|其|孩子|小孩|幼儿|婴儿|[男女]孩|[男女]童|儿子|女儿|继[子女]|孙[子女]|老人|母亲|父亲|爸|妈|爹|娘|奶|爷|外[公婆]|老婆|妻|媳妇|丈夫|婆婆|公公|弟|妹|哥|姐)"
    r"(?!们?的?(?:电话|手机))"
)
_STICK = "皮[带管]|棍|木棒|衣架|扫[帚把]|擀面杖|鞋|凳|酒瓶|火钳|狗链|铁链|绳|针|剪刀|菜刀|刀|开水|热水|打火机|烟头|鸡毛掸|数据线|尺子|戒尺|鞭|椅子?|拖把|笤帚|树枝|竹[条竿片]|砖|电线|指甲"
_STOP = "，,。；;！!？?\n"
_NEAR = f"[^{_STOP}]"

SIGN_WORDS: Final = "|".join(
    (
        # by a hand: who is hit, what with, by whom
        f"(?:打|揍|踢|踹|扇|抽|掐|拧|咬|勒|推|摔|砸|捅|泼|烫|拖|砍|殴打|拽|揪|扯)[了过着得死伤残倒到向]{{0,2}}{_WHOM}",
        r"(?:打|揍|砸|砍|捅)人",
        r"[打扇踢踹捶掐][了过着]{0,2}(?:手(?![机工游语套指牌])|脸|嘴|屁股|肚子|大腿|脖子|一拳|耳光|巴掌)",
        f"被{_NEAR}{{0,14}}?(?:打(?![断动扰扮乱湿开包入散磨印扫])|揍|踢|踹|扇|抽(?![中查调到签血取奖])|捶|掐|拧|咬|勒|摔|砸|捅|绑|捆|拴|锁"
        r"|推(?![荐选迟送广举出])|关[在进起到]|烫|泼|拖(?![欠延累])|吊|逼|摸(?![底清索])|罚[跪站睡饿]|扔|[丢弃]在|赶[出到]|摇晃|虐|强[奸暴]|侵[害犯]|猥亵)",
        r"遭(?:到|受|遇)?(?:家暴|殴打|毒打|虐|性侵|侵[害犯]|猥亵|强[奸暴]|体罚)",
        r"挨(?:过|了)?(?:一顿)?(?:打|揍|抽|鞭|饿|踢|耳光|巴掌)",
        f"[用拿持将把举以提]着?(?:{_STICK}){_NEAR}{{0,8}}?(?:打|抽|砸|敲|捅|扎|烫|烧|泼|夹|捆|绑|锁|拴|威胁|划|追|砍|吓)",
        r"[持拿举提]着?(?:菜|水果)?刀(?![切削具])",
        f"把(?:{_WHOM}){_NEAR}{{0,6}}?(?:摔|推|扔|打|踢|拖|拽|按|塞|锁|关|绑|捆|吊|拎|掐|赶|丢)",
        f"(?:{_KIN}){_NEAR}{{0,6}}?[打踢踹扇抽掐拧抓咬烫划砸扔掰推摔勒揍弄揪拽扯按撞戳](?:的|伤)",
        f"(?:{_KIN}){_NEAR}{{0,3}}?所[打伤为致]",
        f"[就总常都又](?:是|会)?[打揍](?=[{_STOP}骂]|$)",
        r"[扯拽揪][着住]?[^，。]{0,4}头发|撞墙|墙上撞|砸[过门]|衣服[^，。]{0,2}[扯撕]破|拳打脚踢|推搡|推[下倒]|摔在|扔在地|拎起来|吊起来|鞭[打子痕]|[打揍]得[^，。]{0,3}[血肿青伤鼻站哭满]",
        r"敲[^，。]{0,2}[头脑]|怕[^，。]{0,4}[打揍]|打骂|打[伤死残]|[毒暴痛]打|[殴击鞭抽踢扑]打|体罚|罚跪|跪在门|动手|揍|踹|掐|巴掌|耳光",
        # withheld, shut in, left
        r"不[给让准](?:孩子|[我他她其])?(?:饭|吃|上桌|上学|出门|进[屋门家]|睡)|一天[只就]?[给吃]一顿|[罚挨]饿|[没未](?:能|予|给)?(?:吃饭|进食|饭吃)|罚[睡站]|罚[^，。]{0,8}站",
        r"锁在|锁[上住]|锁家里|没人[^，。]{0,3}饭|脱光|雪地|反锁|关在(?:门|阳|屋|家|柴|厕|房|笼)|赶出(?:家|门|来)|铁链|捆绑|绑在|拴在|捆在",
        r"遗弃(?![家物动宠])|无人照[看料管]|去向不明|送给[别他]人|逼[我他她其](?:退|嫁|结|乞|去)|逼着|营养不良",
        # marks on a body
        r"撕裂|挫伤|擦伤|[瘀淤][伤青血斑]|乌青|青紫|青一块|[烫灼咬抓划割砸勒刺撞]伤|烟疤|牙印|红印|缝了?[一二三四五六七八九十\d]+针|眼底出血|摇晃综合|骨折|骨裂|脱臼|勒痕|血[肿痂]|皮下出血|裂伤|伤痕|流血|是血|血流|肿包|起了[^，。]{0,2}包|[嘴脸鼻额耳][^，。没无未]{0,3}血",
        f"(?:{_STICK}|[掌指抓掐牙手]|巴掌){_NEAR}{{0,5}}?(?:印(?![章刷])|痕|烫[伤的痕])",
        r"烟头|身上[^，。没无未]{0,6}伤(?!心)|[头额][上部]?有[^，。没无未]{0,3}包(?![扎子])",
        r"(?:女[孩生童]|少女)[^，。]{0,3}孕|(?:孕|流产)[^，。]{0,3}(?=[^。]{0,20}(?:亲戚|继父|叔|舅|所为|被|强))",
        r"(?:下[体身面]|私处|肛周|外阴|阴部)[^，。无未]{0,4}(?:出血|疼|痛|裂|红肿|伤)",
        # of a sexual kind
        r"性侵|猥亵|强[奸暴]|侵[害犯]|性骚扰|摸[我她他其下胸身大私]|[脱解][^，。]{0,3}裤|被窝|亲[她我]嘴|动手动脚|让[她他我]摸",
        # named, threatened, cried for
        r"家暴|家庭暴力|虐|弄死|杀[了死人我她他]|同归于尽|跳楼|威胁|救命|救救|不敢[回开进睡]|打火机烧",
        r"bruis|contusion|laceration|strangl|beaten|\babuse|assault|battered",
    )
)
"""Every way a sign is written; a place counts unless what is below speaks against it. For text in small letters."""
FIRST: Final = (
    "abcls一丈下不举乌亲以伤伯体侵保儿公关养凳击刀划刺剪割动勒去又反叔吊同后咬哥嘴堂墙外头女奶妈妹妻姐姑姨威娘婆媳孕孙家将少就尺岳巴常开弄弟强怕性总戒扇手扑打扔扫扯把抓抽拎拖拧拳拴拽拿持指挨挫捅捆捶掌"
    "掐推揍提揪摇摔摸撕撞擀擦救数敲无是暴木未杀树棍椅殴母毒没泼流淤火灼烟烫热父爷爸爹牙狗猥用电男痛瘀皮眼砍砖砸祖私竹笤红绑继绳缝罚老耳肛肿脱脸舅菜营虐血衣表被裂解让赶起跪跳踢踹身送逼遗遭都酒针铁锁阴雪青鞋鞭额骨鸡鼻"
)
"""What a sign begins with: looked at first, because most places of a text begin none."""
SIGNS: Final = re.compile(f"(?=[{FIRST}])(?:{SIGN_WORDS})")

LOOK_ALIKES: Final = re.compile(
    r"掐(?:[着准]?点|着?表|丝|算|头去尾|指一)|[打扇]手[机工]|[按捺盖]$|签字.{0,4}手印|水泼不|打人才|被打[断动扰扮乱湿开包入散磨印扫]"
)
"""The text from the place on (or the letter before it) that makes of a sign a word of daily life."""
OF_THINGS: Final = re.compile(
    r"(?:韧带|肌肉|肌腱|切口|半月板|会阴|房屋|墙体|布料|权益|利益|财产|猫|狗|犬|动物|宠物|玻璃|篱笆|虫|蚊|蛇)"
    f"{_NEAR}{{0,3}}$|[按捺盖][了过个下]?$"
)
"""Just before the sign: it is a thing, a beast or a sports injury that is torn, not a person that is hurt."""
BEASTS: Final = re.compile(r"被[^，。]{0,4}[狗犬猫虫蚊蛇][^，。链]{0,2}咬|被[^，。]{0,4}小[朋伙]")
EXPLAINED: Final = re.compile(
    "体育课|运动会|比赛|训练|踢球|踢足球|打球|打篮球|足球|单车|车祸|交通事故|轮滑|滑板|工伤|接种|预防针|狗咬|打闹|凝血|紫癜|过敏|手术|剖宫产|教练|队医|爬山|登山|监控可见|野狗|狂犬|工地|施工"
)
"""A circumstance that others saw and that explains a mark on a body (never an act), unless the text doubts it."""
DOUBTED: Final = re.compile("不符|不一致|不一[，。]|解释不清|支吾|新旧|多次")
MARKS: Final = re.compile("被咬|伤|折|裂|瘀|淤|青紫|血|脱臼|bruis|contusion|laceration")

NEGATION: Final = re.compile(
    r"(未见|未发现|未闻|未被|未遭|未受|未[曾再有]|未涉及|不涉及|从[不未没]|[未没不](?=.?$)|不再|再未|没有?(?!做|写|完成|考|带|听话|按|交|背|洗|吃|拿|买|给|钱|能|来|睡|起|扫|关|大人)"
    r"|无(?!人|故|缘|端|法|力|奈|辜|论)|否认|排除|除外|不存在|并非|不是(?!第|头|一)|不像|非(?!常|要|得|法)|\bno\b|\bnot\b|without|denies|ruled out)"
    f"[^{_STOP}但却]{{0,12}}$",
    re.IGNORECASE,
)
REVIVED: Final = re.compile(
    r"(?:不排除|不能排除|无法排除|不能除外|无法否认|没完没了|未见好转|not only|cannot (?:be )?ruled? out)[^，,。；;]{0,12}$",
    re.I,
)
PAST: Final = re.compile(
    r"既往|病史|过去史|(?<!新)旧伤|旧有|陈旧|history of|\bold\b|(?<!不)曾(?!老师|某|女士|先生|医生|主任)|以前|从前|早年|小时候(?!起)|幼时|幼年|儿时|童年|前年|少年时|年轻时|婚前"
    r"|年前(?!起|开始)|[一二三四五六七八九十\d]岁时|幼儿园时|出生时",
    re.IGNORECASE,
)
"""In the same clause before a sign: it is history."""
PAST_AFTER: Final = re.compile(f"^{_NEAR}{{0,3}}史|未再发生|再未发生|系旧伤|已痊愈|已去世|此后无|已改了|已结案|已判决")
LATELY: Final = re.compile(
    "昨|今天|今日|今早|今晨|今晚|刚才|刚刚|前天|前晚|上周|本周|这周|上个?月|近日|近来|近期|至今|仍|还在|再次|再度|持续|一直|直到|又[被打揍踢把将动]|每[天周晚]都?|天天|从小|本次左|本次右"
)
"""In the same sentence as history: it goes on, or has come back."""

QUOTED: Final = re.compile(
    r"[反防拒]$|(?:反对|防范|预防|抵制|远离|杜绝)[^，。]{0,3}$|课文|小说|绘本|电视剧|电影|电视节目|新闻|网上看|网传|流传|视频[里中]|[剧片]中|剧里|恐怖片|话剧|文艺演出|表演"
    r"|作文|周记写了电视|讲解|宣讲|讲座|培训|宣传|宣教|案例|模拟|演示|辩论|如果|如遇|如何|什么是|何为|内容(?:涉及|为|是)|讲述|列明|学习|课题|该不该|观看|短片|影片|扮演|倡议|听说外"
)
"""In the same clause before a sign: told of in class, on a poster, in a story, or supposed."""
QUOTED_AFTER: Final = re.compile(
    r"^[^，。]{0,6}(?:讲座|培训|宣传|手册|课堂|案例|情节|镜头|识别|后果|求助流程|电影|演练|的故事|防范)"
)
OTHERS: Final = re.compile(
    r"(?<!被)(?<!遭)(?<!让)(?:邻居|隔壁|楼上|楼下|对门|同学|同班|同事|朋友|别人|他人|某[男女]子?|另一名|另案|有人|系工地)([^，,。；;！!？?\n]*)$"
)
"""In the same clause before a sign: somebody who is not of this household, unless it is they who tell."""
TELLS: Final = re.compile("反映|称|说|听|看|举报|来电|来人|告|报|发现|投诉|见|劝|证实|诉|求助|送|陪|承认|代为|帮")
OTHERS_AFTER: Final = re.compile(r"与(?:[本现该此])[^，。]{0,4}无关|另行(?:登记|走访)|已请其向")
