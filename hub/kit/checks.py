"""The table of checks: what each proves, in which level it stands, and what to do when it fails.

bronze    it can be taken at all: lawful, readable, alone, and it betrays nobody
silver    its records become what was promised, in any order and process
gold      no trouble of its source or machine loses a record, doubles one or holds up anybody
platinum  a stranger can take it over, and a bad day of everything at once does not matter
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hub.kit import days, declared, endurance, faults, hosted, mapped, outputs, outward, quality
from hub.kit.work import Work

__all__ = ["CHECKS", "LEVELS", "Check"]

LEVELS = ("bronze", "silver", "gold", "platinum")


class Check(NamedTuple):
    """``run`` yields what it found wrong, one sentence each; nothing: passed. It may raise Exempt."""

    id: str
    level: str
    run: Callable[[Work], Iterator[str]]
    proves: str
    proves_zh: str
    remedy: str
    remedy_zh: str


CHECKS: tuple[Check, ...] = (
    # --- bronze
    Check("manifest.valid", "bronze", declared.valid,
          "The manifest is complete, fits this version of the SDK, and names the connector as its entry point does",
          "清单完整、接口版本相符，且名称与入口一致",
          "Correct manifest.toml or the entry point in pyproject.toml", "修正 manifest.toml 或 pyproject.toml 中的入口"),
    Check("manifest.legal_basis", "bronze", declared.legal_basis,
          "Every stream and every message cites its law and its classes of data",
          "每个数据流与每类消息均注明法律依据和数据类别",
          "Name the law and article in legal_basis, and the classes in data_classes", "在 legal_basis 写明法律条款，在 data_classes 写明类别"),
    Check("layout.files", "bronze", declared.layout,
          "The files stand under the names that every connector has", "文件名称与其他连接器一致",
          "Compare with what `hub connectors new` writes", "对照 hub connectors new 生成的文件"),
    Check("imports.sdk_only", "bronze", declared.imports,
          "It imports the SDK and itself; only source.py may touch the world", "只引用 SDK 与自身，仅 source.py 可访问外部",
          "Use what hub.sdk offers; move drivers into source.py", "使用 hub.sdk 提供的内容，驱动移入 source.py"),
    Check("load.alone", "bronze", declared.loads,
          "It loads in a process of its own, asking nobody, writing nothing, ending nothing", "可在独立进程中加载，不联网、不写文件、不退出",
          "At import only define tables; open and ask in fetch", "导入时只定义表格，连接放到 fetch 中"),
    Check("map.one_per_row", "bronze", mapped.one_per_row,
          "Each row, however broken, becomes exactly one draft or one problem", "每行无论如何损坏，恰好得到一条草稿或一个问题",
          "Let Connector.map_rows do the work; a finish function returns a draft and never raises", "由 Connector.map_rows 处理；finish 函数只返回草稿，不抛错"),
    Check("map.undeclared_dropped", "bronze", mapped.undeclared,
          "A column that no table names leaves no trace in a draft", "未声明的列不进入草稿",
          "Name the column in schema.py or let it go", "在 schema.py 声明该列，否则舍弃"),
    Check("map.never_store", "bronze", outputs.never_stored,
          "Columns that may never be stored are gone before a page lands", "禁存列在落库前已清除",
          "List the header in never_store; never copy it under another name", "将表头列入 never_store，勿改名复制"),
    Check("map.own_words", "bronze", mapped.own_words,
          "Drafts speak for their own unit and stream, in words the hub knows", "草稿只代表本单位本数据流，用词在目录内",
          "Use the names of the glossary; leave key and kind to the tables", "使用词汇表名称，编号与种类交由表格"),
    Check("canary.mapping", "bronze", outputs.quiet,
          "Nobody's data stands in what it prints, logs, raises or leaves behind", "输出、日志、异常与遗留文件中没有个人信息",
          "Print and log counts and codes, never values", "只输出数量和代码，不输出内容"),
    # --- silver
    Check("samples.present", "silver", mapped.present,
          "Each stream of its own has five invented rows and the drafts they must become", "每个自有数据流有至少五行虚构样例及其标准结果",
          "Add the rows under samples/, then `hub connectors test . --write-golden` and read what it wrote", "在 samples/ 补充样例，运行 --write-golden 并核对"),
    Check("samples.golden", "silver", mapped.golden,
          "Each sample becomes exactly its golden drafts", "样例与标准结果完全一致",
          "Correct the mapping; where the golden drafts are wrong, write them anew and read them", "修正映射；标准结果有误时重写并核对"),
    Check("samples.both_headers", "silver", mapped.both_headers,
          "English headers in any case give the same drafts", "英文表头（不分大小写）结果相同",
          "Give each Field its English name and its Chinese header", "每个 Field 同时给出英文名与中文表头"),
    Check("samples.accepted", "silver", mapped.accepted,
          "The hub's own reading of dates, codes and numbers takes the sample rows", "枢纽能正确读取样例中的日期、代码和号码",
          "See docs/problem-codes.md for each code; codes of your own go into Field(codes=…)", "按问题代码修正；自有代码写入 Field(codes=…)"),
    Check("samples.retraction", "silver", mapped.retraction,
          "Each sample shows a retracted record", "样例含一条撤回记录",
          "Set 删除标志 on one row of each sample", "在每个样例中设置一行删除标志"),
    Check("samples.invented", "silver", mapped.invented,
          "Nobody in a sample exists", "样例人员均为虚构",
          "Telephone numbers 1390000…, addresses with 虚构", "电话用1390000开头，地址含“虚构”"),
    Check("map.deterministic", "silver", mapped.deterministic,
          "The same row is the same draft in any process, in any order, alone or among others", "同一行在任何进程、任何顺序下结果相同",
          "Remember nothing between rows; sort what comes out of a set; no clock, no chance", "行间不留状态，集合先排序，不用时钟与随机数"),
    Check("map.input_untouched", "silver", mapped.untouched,
          "The original of a row is kept as it was sent", "原始行按报送内容保留",
          "Work on a copy: draft._replace, {**row, …}", "在副本上处理，勿修改传入的行"),
    Check("map.pure", "silver", mapped.pure,
          "While rows are mapped nothing is opened, asked, written or started", "映射时不打开文件、不联网、不启动程序",
          "Read tables when the module is loaded; ask other systems in fetch", "码表在加载时读取，外部查询放到 fetch"),
    Check("render.stable", "silver", outputs.stable,
          "A message is the same bytes each time it is rendered", "同一消息每次生成的字节相同",
          "Sort keys, use no clock and no chance: canonical_json does", "按键排序，不用时钟与随机数"),
    # --- gold
    Check("fault.calm", "gold", endurance.ends,
          "On a calm day everything is read once, the read ends, and it says what has been read", "正常情况下全部读取一次并结束，且给出游标",
          "Yield (rows, cursor) until there is nothing more, then return", "逐页给出 (rows, cursor)，读完即返回"),
    Check("fault.kill", "gold", faults.kill,
          "Killed at any page, before or after it landed, nothing is lost or doubled", "任一页时被杀死，不丢不重",
          "The cursor of a page may cover that page and those before it, never a later one", "每页游标只覆盖本页及之前的内容"),
    Check("fault.pages", "gold", faults.repeats,
          "Overlapping, repeated and disordered pages give the same archive", "页面重叠、重复、乱序结果不变",
          "Move the cursor by pages only while rows come in ascending order", "仅在升序时逐页推进游标"),
    Check("fault.border", "gold", faults.border,
          "Rows of one time across a page border are all found, also the one that comes later", "同一时刻跨页的记录不遗漏",
          "Ask from the cursor on, inclusive (>=); the hub drops what it has", "从游标起（含）查询，重复由枢纽剔除"),
    Check("fault.late", "gold", faults.late,
          "A row that turns up late is found", "迟到的记录能被读到",
          "Start ten minutes before the cursor", "从游标前十分钟开始读取"),
    Check("fault.cursor_regress", "gold", faults.regress,
          "From an older cursor, as after a restored backup, the archive is the same", "游标回退后结果不变",
          "Keep no memory of what was sent; keys come from the source and never change", "不自行记忆已发送内容，编号取自来源且不变"),
    Check("fault.clock", "gold", faults.future,
          "A row from the future hides none that come after it", "时间超前的记录不会掩盖后续记录",
          "Pass over cursor values more than a day ahead: hub.sdk's sources do", "忽略超前一天以上的游标值"),
    Check("fault.storm", "gold", faults.storm,
          "A peer that says 429 is left alone, its Retry-After is passed on, the read goes on later", "遇429即停，按Retry-After重试并续读",
          "Raise RetryError(after=…) after a few tries; the schedule comes again", "少量重试后抛出 RetryError(after=…)"),
    Check("fault.credentials", "gold", faults.credentials,
          "A credential that expires in mid-run is reported as one and nothing is lost", "凭据中途失效能正确上报且不丢数据",
          "Raise CredentialsError for 401 and 403", "401、403 抛出 CredentialsError"),
    Check("fault.answers", "gold", faults.answers,
          "Garbage, half answers, login pages and error codes are errors with a name", "乱码、半截响应、登录页、错误码均归类为明确错误",
          "Raise an error of hub.sdk; never take an answer you cannot read for an empty one", "抛出 hub.sdk 的错误，读不懂的响应不能当作空"),
    Check("fault.half_file", "gold", faults.half_file,
          "A file that is still being written is not read", "未写完的文件不读取",
          "Use FolderSource, or wait until size and time stand still", "使用 FolderSource，或等文件大小时间稳定"),
    Check("fault.drip", "gold", faults.drip,
          "A peer that sends a byte now and then holds up nobody", "对方慢速滴流时调用会超时结束",
          "Bound the whole call, not each read: hub.sdk's Peer does", "限制整次调用时长，hub.sdk 的 Peer 已实现"),
    Check("fault.giant", "gold", endurance.giant,
          "One giant record does not stop its neighbours", "超大记录不影响其他记录",
          "No pattern over whole texts that backtracks; no copy per row", "不对全文使用回溯正则，不逐行复制"),
    Check("days.account", "gold", days.account,
          "What its source says of its own days is right, and in trouble an error instead of an empty day", "来源的按日对账数准确，出错时报错而不是报零",
          "Count by calendar days in Shanghai, records and not rows; raise an error of hub.sdk for an answer you cannot read", "按上海时间自然日、按记录计数；读不懂的应答抛出 hub.sdk 的错误"),
    Check("days.lost", "gold", days.lost,
          "A record that was lost is given again for its day, alone or with its neighbours", "丢失的记录可按日重新取得",
          "Let Statements.rows read that day once and end; it yields rows and no cursor", "Statements.rows 只读取当日一次并结束，不给出游标"),
    Check("send.mirrored", "gold", outward.mirrored,
          "A message arrives as it was rendered, and what its receiver said is what is reported", "消息按生成的字节送达，接收方答复如实上报",
          "Send parcel.body as it is; answer sent, received (with the number), later or refused, and raise nothing", "原样发送 parcel.body，如实返回 sent、received、later 或 refused，不抛错"),
    Check("life.answers", "gold", endurance.answered,
          "Every call is answered in time", "每次调用都及时返回",
          "Wait for nothing without a time limit", "任何等待都设时限"),
    Check("life.lives", "gold", endurance.lives,
          "No call ends the process", "任何调用都不会终止进程",
          "Raise an error; never sys.exit, os._exit or a signal", "抛出错误，勿退出进程"),
    Check("life.leak", "gold", endurance.leak,
          "Memory does not grow with the pages that went through", "内存不随处理量增长",
          "Keep nothing of a row once it is mapped", "映射后不保留行内容"),
    Check("life.in_the_hub", "gold", hosted.in_the_hub,
          "In the hub's own process, within its bounds, it gives the same drafts", "在枢纽自己的受限进程中结果一致",
          "Take at most 1 GiB and 256 files; put nothing into a draft but texts, numbers, truth values and dates", "内存不超过1GiB、文件不超过256个，草稿中只放文本、数字、是否值和日期"),
    Check("life.own_files", "gold", hosted.own_files,
          "While it fetches it asks for no file but its own: the hub's keys and other units' secrets are out of its reach",
          "读取时只打开自己的文件，不触及枢纽密钥与其他单位的凭据",
          "Open only what your options name; list a driver's files under reads in [connector]", "只打开配置中写明的文件；驱动文件写入 [connector] 的 reads"),
    Check("canary.faults", "gold", outputs.quiet_in_trouble,
          "In trouble too, neither data nor the credential stands in any output", "出错时输出中也没有个人信息和凭据",
          "Raise with codes and places; never quote an answer, an address with its query, or a header", "错误只带代码与位置，不引用响应、地址参数与请求头"),
    # --- platinum
    Check("fault.everything", "platinum", endurance.everything,
          "A bad day of kills, refusals, late rows and repeats loses nothing", "多种故障同时发生也不丢不重",
          "Pass the gold checks first; then the cursor may still promise too much", "先通过金级检查，再核对游标"),
    Check("docs.package", "platinum", declared.described,
          "The package says what it sends and receives, by which law and how often", "包说明写明报送、接收、依据与频次",
          "Lines Sends:, Receives:, Legal basis:, Rhythm: in the docstring of __init__.py", "在 __init__.py 文档中写明四行"),
    Check("samples.codes_both_ways", "platinum", quality.codes_both_ways,
          "Samples show each stream's codes as numbers and as words", "样例中代码有编号也有词语",
          "Write one row with the number and one with the word", "一行用编号，一行用词语"),
    Check("samples.identity", "platinum", quality.identity_samples,
          "Samples with persons show a masked and an empty ID number", "样例含脱敏和空缺的证件号",
          "Write one row with 3101****0012 and one without a number", "一行写3101****0012，一行留空"),
    Check("quality.proved", "platinum", quality.proved,
          "quality.toml calls done only what passes, and leaves nothing to do", "quality.toml 所称完成均经验证，且无待办",
          "Do what is still todo, or say why it is exempt", "完成待办，或说明豁免理由"),
)  # fmt: skip
"""In the order in which they run and are printed."""
