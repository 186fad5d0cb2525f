"""Problem codes of pages, peers and the hub itself: what goes wrong beyond a single row."""

from __future__ import annotations

from typing import NamedTuple

from hub.core.errors import CredentialsError, PersonError, QuarantineError, RetryError, StopError
from hub.core.stream_faults import STREAM_FAULTS, Text

__all__ = ["ACTIONS", "FAULTS", "Action", "Text", "action_for", "action_of"]


class Action(NamedTuple):
    """What happens next when something fails: the one answer to every error of the hub, its peers and its connectors."""

    word: str
    then: str  # what the hub does by itself
    pause: str  # how long that feed waits: back-off, longest, none
    issue: str  # when a person is told: at once, after five in a row, never, with the record
    who: str  # who acts next: nobody, it, maker, clerk


ACTIONS: dict[str, Action] = {
    "retry": Action("retry", "ask again, with growing pauses; Retry-After is kept", "back-off", "after five", "nobody"),
    "credentials": Action("credentials", "pause the feed, read the secret anew at the next try", "longest", "at once", "it"),
    "person": Action("person", "pause the feed, try again at the longest pause", "longest", "at once", "it"),
    "quarantine": Action("quarantine", "set this record aside; its neighbours go on", "none", "with the record", "clerk"),
    "stop": Action("stop", "stop the process rather than go on; the service manager starts it", "none", "at once", "it"),
    "unknown": Action("unknown", "ask again, with growing pauses; never a silent end", "back-off", "after five", "maker"),
}  # fmt: skip
"""The taxonomy: how a class of `core/errors.py` is answered. Endpoint health (retry, credentials) burns no record."""

_BY_CLASS: tuple[tuple[type[Exception], str], ...] = (
    (StopError, "stop"), (CredentialsError, "credentials"), (PersonError, "person"), (QuarantineError, "quarantine"),
)  # fmt: skip
"""Class of `core/errors.py` → action. A RetryError's code tells trouble that passes from an error nobody knows."""

_BY_CODE: tuple[tuple[str, str], ...] = (
    # of the hub itself
    ("keys.", "stop"), ("seal.", "stop"), ("store.corrupt", "stop"), ("store.refused", "stop"), ("store.newer", "person"), ("lease.", "stop"),
    ("reconcile.pending", "retry"), ("reconcile.", "person"), ("store.", "retry"), ("hub.locked", "retry"), ("http.busy", "retry"), ("stream.busy", "retry"),
    # credentials
    ("http.401", "credentials"), ("http.403", "credentials"), ("credentials", "credentials"),
    ("secret.", "credentials"), ("table.denied", "credentials"),
    # peers in trouble
    ("http.408", "retry"), ("http.425", "retry"), ("http.429", "retry"), ("http.5", "retry"),
    ("peer.unavailable", "retry"), ("peer.timeout", "retry"), ("peer.busy", "retry"), ("peer.garbage", "retry"),
    ("peer.resting", "retry"), ("table.unavailable", "retry"), ("files.busy", "retry"),
    # the connector's own process
    ("connector.died", "retry"), ("connector.hung", "retry"), ("connector.broken", "retry"),
    ("connector.resting", "retry"), ("connector.held", "retry"), ("connector.closed", "retry"),
    ("connector.load", "retry"),
    ("connector.refused", "person"), ("connector.missing", "person"), ("connector.miscounted", "person"), ("connector.disabled", "person"),
    ("connector.", "unknown"),
    # one record
    ("mapping.failed", "quarantine"), ("row.", "quarantine"), ("hub.defect", "quarantine"), ("hub.error", "unknown"),
    # everything else that is wrong with a source, an address, a file or the configuration
    ("http.", "person"), ("peer.", "person"), ("rest.", "person"), ("table.", "person"), ("files.", "person"),
    ("file.", "person"), ("transport.", "person"), ("auth.", "person"), ("configuration.", "person"),
    ("manifest.", "person"), ("stream.", "person"), ("policy.", "person"), ("delivery.", "person"),
    ("batch.", "person"), ("idempotency.", "person"), ("usage.", "person"), ("daemon.", "retry"), ("socket.", "retry"),
    ("page.", "person"), ("household.", "person"),
)  # fmt: skip
"""Beginning of a code → action; the first that fits."""


def action_of(code: str) -> Action:
    """How an error of this code is answered: by its family, a code of ``FAULTS`` by a person, any other is *unknown*."""
    otherwise = "person" if code in FAULTS else "unknown"
    return ACTIONS[next((word for begin, word in _BY_CODE if code.startswith(begin)), otherwise)]


def action_for(error: Exception) -> Action:
    """How an error is answered: by its class; one outside the tree is *unknown*."""
    for kind, word in _BY_CLASS:
        if isinstance(error, kind):
            return ACTIONS[word]
    if not isinstance(error, RetryError):
        return ACTIONS["unknown"]
    return ACTIONS["unknown" if action_of(error.code).word == "unknown" else "retry"]


FAULTS: dict[str, Text] = {
    # --- batches and pages
    "batch.invalid": Text(
        "Not a batch of records", "不是有效的批次", 'send {"records": [ … ]} with one object per record', "请按批次格式报送"),
    "batch.large": Text("The batch is too large", "批次过大", "send it in smaller parts", "请分批报送"),
    "idempotency.conflict": Text(
        "This Idempotency-Key was used for another body", "幂等键已用于其他内容",
        "use a new key for new content", "新内容请使用新的幂等键"),
    "row.invalid": Text("The row is no flat record", "行格式无效", "send one flat object or table row per record", "每条记录一行，不嵌套"),
    "row.large": Text("A cell or row is too large", "单元格或行过大", "shorten the text", "请缩短文本"),
    # --- the hub and its peers
    "hub.defect": Text(
        "The hub failed on this record alone", "系统处理该记录时出错",
        "tell the maintainers; redrive after the update", "请联系维护人员；升级后重新处理"),
    "hub.error": Text("The hub reports an error", "系统错误", "see the message beside it", "见所附说明"),
    "mapping.failed": Text(
        "The connector could not map this row", "连接器无法映射该行",
        "fix the connector or its renames, then redrive", "修正连接器或列名对应后重新处理"),
    "peer.unavailable": Text("The other system did not answer", "对方系统无响应", "it is tried again by itself", "系统将自动重试"),
    "peer.certificate": Text("Nobody we trust has signed the other system's certificate", "对方证书不受信任", 'name its CA: [trust] ca = "ca.pem" in hub.toml', "在 hub.toml 的 [trust] 中指定其 CA 证书"),
    "keys.missing": Text("There is no master key", "缺少主密钥", "restore the key file from its backup", "请从备份恢复密钥文件"),
    "keys.foreign": Text(
        "The master key is another archive's", "主密钥不属于此数据库",
        "restore the key file that belongs to this database", "请恢复与此数据库对应的密钥文件"),
    "keys.invalid": Text(
        "The master key file cannot be read", "主密钥文件无法读取",
        "restore the key file from its backup; never edit it by hand", "请从备份恢复密钥文件，勿手工修改"),
    "seal.broken": Text(
        "A sealed body does not open: wrong key or changed bytes", "密文无法解开：密钥不符或内容被改动",
        "check the key file and the integrity of the database", "请检查密钥文件与数据库完整性"),
    # --- configuration
    "configuration.missing": Text("There is no configuration folder", "缺少配置目录", "run `hub init DIR`", "请运行 hub init DIR"),
    "configuration.invalid": Text(
        "The configuration is wrong", "配置有误", "run `hub check` and correct each line it names", "运行 hub check 并逐行更正"),
    "configuration.restart": Text("A setting counts only after a restart", "部分设置需重启后生效", "start `hub run` anew", "请重启 hub run"),
    "confine.open": Text("A connector cannot be kept to its own files here", "连接器无法限制在自己的文件内", "see the message beside it", "见所附说明"),
    "secret.unreadable": Text(
        "A secret cannot be read", "密钥引用无法读取", "check the file, variable or credential that is named", "请检查所列文件、变量或凭据"),
    "manifest.missing": Text(
        "The connector has no manifest", "连接器缺少清单", "install the whole package of the connector", "请完整安装连接器"),
    "manifest.invalid": Text("The connector's manifest is wrong", "连接器清单有误", "update the connector", "请升级连接器"),
    "connector.missing": Text(
        "No enabled connector maps this unit's records", "没有启用对应单位的连接器", "enable the connector", "请启用该连接器"),
    "connector.refused": Text(
        "The connector cannot be loaded", "连接器无法加载", "see the message beside it; update the connector", "见所附说明；请升级连接器"),
    "connector.died": Text(
        "The connector's process ended", "连接器进程已退出", "it is started again by itself", "系统将自动重启"),
    "connector.hung": Text(
        "The connector did not answer in time and was ended", "连接器无响应，已终止",
        "it is started again by itself; tell its maker if it comes back", "系统将自动重启；反复出现请告知开发者"),
    "connector.broken": Text(
        "The connector broke the protocol and was ended", "连接器违反协议，已终止",
        "tell its maker; it is started again by itself", "请告知开发者；系统将自动重启"),
    "connector.resting": Text(
        "The connector's process waits before its next start", "连接器等待重启", "it is started again by itself", "系统将自动重启"),
    "connector.held": Text(
        "The connector only crashes and is held", "连接器反复崩溃，已暂停",
        "tell its maker; after an update run `hub connectors enable NAME`", "请告知开发者；升级后运行 hub connectors enable"),
    "connector.closed": Text(
        "The connector was stopped meanwhile", "连接器已停止", "repeat it", "请重试"),
    "connector.unclear": Text(
        "The connector reports an error nobody knows", "连接器返回未知错误", "tell its maker", "请告知开发者"),
    "connector.disabled": Text(
        "The connector is switched off", "连接器已停用", "enable it first", "请先启用"),
    "peer.resting": Text(
        "The other system is left alone after failures", "对方系统暂停访问", "it is tried again by itself", "系统将自动重试"),
    "connector.miscounted": Text(
        "The connector lost or invented rows", "连接器行数不符", "fix the connector, then redrive", "修正连接器后重新处理"),
    "delivery.missing": Text(
        "A message has no destination", "消息没有送达地址", "set `[deliver.…]` of the receiving unit", "请设置接收单位的送达方式"),
    "delivery.late": Text(
        "A message has not reached its receiver", "消息逾时未送达", "see whether the receiver can be reached", "请查看接收方能否连通"),
    "delivery.refused": Text(
        "The receiver refused a message", "接收方拒收消息",
        "read why it was refused, repair, and retry the message", "查看拒收原因，更正后重发"),
    "report.no_receiver": Text(
        "Mandatory reports have nobody to go to", "强制报告无接收方",
        "enable police and set [deliver.mandatory_report]", "请启用 police 并设置 [deliver.mandatory_report]；在此之前打印报告，由第二渠道送交"),
    "page.unmapped": Text(
        "No connector can read a batch that is here", "已收到的批次无连接器可读",
        "enable or repair the connector; the batch waits", "请启用或修复连接器；批次等候处理"),
    "policy.invalid": Text(
        "The policy file is wrong", "政策文件有误", "run `hub policy check FILE`", "请运行 hub policy check"),
    "policy.condition": Text(
        "A condition of the policy is wrong", "政策条件有误", "run `hub policy check FILE`", "请运行 hub policy check"),
    "policy.term": Text(
        "A term of the policy is wrong", "政策期限有误", "run `hub policy check FILE`", "请运行 hub policy check"),
    "transport.push": Text(
        "A pushed stream cannot be polled", "推送数据流不能轮询", "wait for the unit's push, or set another transport", "请等待推送，或改用其他传输方式"),
    "transport.sftp": Text(
        "SFTP needs an extra package", "SFTP 需要附加组件", "install the extra `sftp`", "请安装 sftp 附加组件"),
    "sftp.url": Text(
        "The SFTP address is wrong", "SFTP 地址有误", "sftp://user@host:port/folder, password or key in `auth`", "写作 sftp://用户@主机:端口/目录，口令或密钥写在 auth"),
    "sftp.key": Text(
        "The private key cannot be read", "私钥无法读取", "an OpenSSH or PEM key without passphrase", "请使用无口令的 OpenSSH 或 PEM 私钥"),
    "sftp.host_key": Text(
        "The server's host key is not the one written down", "服务器主机密钥与登记的不符",
        "compare it with the server's administrator, then set `host_key` in `auth`", "请与对方管理员核对后设置 host_key"),
    "sftp.denied": Text("The SFTP server refuses our login", "SFTP 服务器拒绝登录", "renew password or key", "请更新口令或密钥"),
    "sftp.unavailable": Text(
        "The SFTP server does not answer", "SFTP 服务器无响应", "it is tried again by itself", "系统将自动重试"),
    "auth.kind": Text(
        "Unknown kind of authentication", "未知的认证方式", "use none, basic, bearer, signature or national_platform", "请使用规定的认证方式"),
    "auth.recipe": Text(
        "The signature recipe is incomplete", "签名方案不完整", "name every part the recipe needs", "请补全签名方案"),
    **STREAM_FAULTS,
    # --- other systems
    "peer.busy": Text("The other system is busy", "对方系统繁忙", "it is tried again by itself", "系统将自动重试"),
    "peer.timeout": Text("The other system took too long", "对方系统超时", "it is tried again by itself", "系统将自动重试"),
    "peer.garbage": Text(
        "The other system's answer cannot be read", "对方应答无法解析", "show the unit the time of the call", "请将调用时间告知对方"),
    "peer.code": Text(
        "The other system reports a failure", "对方系统返回错误", "look up its code in the unit's manual", "请查对方手册"),
    "peer.refused": Text(
        "The other system refuses the request", "对方拒绝请求", "check address, parameters and rights", "请核对地址、参数与权限"),
    "peer.too_large": Text(
        "The other system's answer is too large", "对方应答过大", "use smaller pages", "请减小分页"),
    "peer.url": Text("The address is not allowed", "地址不被允许", "check the address in the TOML", "请核对配置中的地址"),
    "credentials.clock": Text(
        "The other system finds our clock wrong", "对方认为本机时钟有误", "synchronise the clock", "请校准时钟"),
    "rest.endless": Text("The pages do not end", "分页没有尽头", "check the page style", "请核对分页方式"),
    "rest.foreign_link": Text(
        "The next page lies on another host", "下一页位于其他主机", "check the page style with the unit", "请与对方核对分页方式"),
    "rest.no_records": Text(
        "The answer has no records where they should be", "应答中找不到记录", "set `records` to their place", "请设置 records 路径"),
    "rest.page_repeats": Text("A page came twice", "分页重复", "check the page style", "请核对分页方式"),
    "rest.page_style": Text("Unknown page style", "未知的分页方式", "use page, offset, cursor or link", "请使用规定的分页方式"),
    "table.cursor": Text(
        "The cursor column cannot be read", "游标列无法读取", "name the column of the time of update", "请指定更新时间列"),
    "table.definition": Text(
        "The table or query is wrong", "表或查询有误", "check table, query and columns", "请核对表、查询与列"),
    "table.driver": Text(
        "The driver of this database is not installed", "未安装该数据库的驱动", "install the extra `mysql` or `postgres`", "请安装 mysql 或 postgres 附加组件"),
    "table.denied": Text("The database refuses us", "数据库拒绝访问", "ask for the right to read", "请申请读取权限"),
    "table.unavailable": Text(
        "The database does not answer", "数据库无响应", "it is tried again by itself", "系统将自动重试"),
    "table.url": Text("The database address is wrong", "数据库地址有误", "check the address", "请核对地址"),
    "table.writes": Text("The query would write", "查询语句含写操作", "use a query that only reads", "请使用只读查询"),
    "file.digest": Text(
        "The file differs from its digest", "文件与摘要不符", "send the file again", "请重新发送文件"),
    "file.missing": Text("The file cannot be opened", "文件无法打开", "check its name and rights", "请核对文件名与权限"),
    "file.too_large": Text(
        "The file is too large, or unpacks to too much", "文件过大或解压后过大", "send it in parts", "请拆分后报送"),
    "file.encoding": Text(
        "The text is neither UTF-8, UTF-16 nor GB18030", "文本编码无法识别或有损坏",
        "save it anew as CSV UTF-8 and send it again", "请另存为“CSV UTF-8”后重发"),
    "file.line_too_long": Text("A line never ends", "单行过长", "check quotes and line breaks", "请检查引号与换行"),
    "file.encrypted": Text(
        "The workbook is protected by a password", "工作簿设有打开密码", "save it without password", "请取消密码后重发"),
    "file.markup": Text(
        "A web page was named like a workbook", "文件实为网页，并非工作簿",
        "open it in Excel or WPS, save it as XLSX", "请用 Excel 或 WPS 打开后另存为 XLSX 再报送"),
    "file.sheet": Text(
        "No sheet is as configured", "找不到所配置的工作表", "set `sheet` to a number, a name, auto or all", "请核对 sheet 设置"),
    "file.header": Text(
        "No line could be the header", "找不到表头", "put the column names in one line, or set `header_row`", "请保留表头行，或设置 header_row"),
    "file.header_repeated": Text(
        "Two columns have the same name", "表头有重名列", "give each column its own name", "请为每列取不同名称"),
    "row.shape": Text(
        "The row has more cells than the header", "该行单元格多于表头",
        "one cell for each header; quote text that holds the delimiter", "每列一格；含分隔符的文字请加引号"),
    # --- what a reader understood or left out; nothing is wrong with the records
    "file.totals": Text("A line of totals, not a record", "合计行，未作为记录", "nothing to do", "无需处理"),
    "file.signature": Text("A line of signatures or remarks, not a record", "签署或说明行，未作为记录", "nothing to do", "无需处理"),
    "file.example": Text("A line with an example, not a record", "示例行，未作为记录", "nothing to do", "无需处理"),
    "file.header_again": Text("The header again, not a record", "重复的表头行，未作为记录", "nothing to do", "无需处理"),
    "file.column_numbers": Text("A line that counts the columns, not a record", "列号行，未作为记录", "nothing to do", "无需处理"),
    "file.column_unnamed": Text(
        "A cell in a column without a name was left out", "无表头列中的内容未读取", "name the column if it is needed", "如需报送请补写表头"),
    "file.column_unknown": Text(
        "A column is called by no name of this stream and was not read", "列名不是本数据流的列名，未读取",
        "docs/connectors.md lists the names; a column of another name is tied to ours by `fields`", "列名见 docs/connectors.md；名称不同的列可在 fields 中对应"),
    "file.header_found": Text(
        "The header was found below titles or in several lines", "表头位于标题之下或占多行，已自动识别",
        "set `header_row` to fix it", "如有误请设置 header_row"),
    "file.header_unknown_repeated": Text(
        "Columns that this stream does not use have one name", "未使用的列有重名", "nothing to do", "无需处理"),
    "file.sheet_chosen": Text(
        "This sheet was read: it fits the stream best", "已读取该工作表（与本数据流最相符）", "set `sheet` to fix it", "如有误请设置 sheet"),
    "file.sheet_ignored": Text(
        "A further sheet of the same form was not read", "另有同样格式的工作表未读取",
        'set sheet = "all" to read every such sheet', "如需全部读取请设置 sheet = \"all\""),
    "file.sheet_hidden": Text(
        "A hidden sheet of the same form was not read", "同样格式的隐藏工作表未读取", "show it, or name it in `sheet`", "请取消隐藏，或在 sheet 中指定"),
    "file.hidden_rows": Text(
        "Hidden lines were read like all others", "隐藏行已照常读取", "delete them if they should not be sent", "如不应报送请删除"),
    "file.hidden_columns": Text(
        "Hidden columns were read like all others", "隐藏列已照常读取", "delete them if they should not be sent", "如不应报送请删除"),
    "file.formula_empty": Text(
        "A formula without a stored result was read as empty", "公式没有保存结果，按空白读取",
        "open the file in Excel, save it and send it again", "请用 Excel 打开保存后重发"),
    "file.formula_error": Text(
        "A formula's error was read as empty", "公式错误值按空白读取", "replace it by its value", "请改为数值后重发"),
    "file.merged_cells": Text(
        "A merged cell counts for each of its lines", "合并单元格的内容适用于其中每一行", "nothing to do", "无需处理"),
    "file.unreadable": Text(
        "The file cannot be read", "文件无法读取", "save it anew as CSV (UTF-8) or XLSX and send it again", "请另存为 CSV 或 XLSX 后重发"),
    "files.busy": Text("The folder is in use", "文件夹正被使用", "it is tried again by itself", "系统将自动重试"),
    "files.folder": Text("The folder cannot be used", "文件夹不可用", "check path and rights", "请核对路径与权限"),
    # --- edges and signed requests
    "signature.missing": Text("The request is not signed", "请求未签名", "sign it as RFC 9421 says", "请按 RFC 9421 签名"),
    "signature.malformed": Text(
        "The signature fields cannot be read", "签名字段无法解析",
        "send one signature with created, expires, nonce and keyid", "请发送一个含 created、expires、nonce、keyid 的签名"),
    "signature.components": Text(
        "The signature covers too little", "签名覆盖不全",
        "cover method, path, query, body digest and Idempotency-Key", "须覆盖方法、路径、查询、内容摘要与幂等键"),
    "signature.digest": Text(
        "The body differs from its digest", "内容与摘要不符", "something changed it on the way: look at the network", "内容在途中被改动，请检查网络"),
    "signature.invalid": Text(
        "The signature is not this key's for this request", "签名与密钥或请求不符",
        "something changed it on the way, or the key is another: enrol again", "请求被改动或密钥不符，请重新登记"),
    "signature.stale": Text(
        "The signature is outside its five minutes", "签名超出五分钟有效期", "synchronise the clock of the edge", "请校准前置机时钟"),
    "signature.replayed": Text(
        "The request was seen before", "请求重复（重放）", "sign each request anew, with a nonce of its own", "每次请求须重新签名并使用新随机数"),
    "signature.unknown_key": Text(
        "No edge has this key", "未登记的前置机密钥", "enrol the edge: `hub edge enrol NAME`", "请登记前置机：hub edge enrol"),
    "signature.revoked": Text(
        "This edge was revoked", "前置机已被吊销", "ask the hub's IT staff; enrol again if it is to send", "请联系枢纽管理员；需要时重新登记"),
    "edge.ca": Text("Not a certificate of a CA", "不是有效的 CA 证书", "give a PEM file", "请提供 PEM 文件"),
    "edge.code": Text(
        "The one-time code is unknown, used up or too old", "登记码无效、已用或过期", "ask for a new one: `hub edge enrol NAME`", "请重新获取登记码"),
    "edge.key": Text("Not a public key", "不是有效公钥", "send 32 bytes of Ed25519 in Base64", "请发送 Ed25519 公钥"),
    "edge.unknown": Text("This connector has no edge here", "该连接器未登记前置机", "run `hub edge join URL CODE` first", "请先运行 hub edge join"),
    "edge.url": Text("The hub's address is not allowed", "枢纽地址不被允许", "give its https address", "请使用 https 地址"),
    "edge.full": Text(
        "The edge's spool is full: it fetches no more, and drops nothing", "前置机缓存已满：停止取数，不丢数据",
        "restore the link, or raise `[edge] spool_bytes`", "请恢复网络，或调大 spool_bytes"),
    "edge.disk_full": Text(
        "The edge's disk is full: it fetches no more, and drops nothing", "前置机磁盘已满：停止取数，不丢数据", "make room on its disk", "请清理磁盘"),
    "edge.held": Text(
        "Batches wait at the edge that the hub will not take as they are", "前置机有批次未被接收",
        "see `hub edge show NAME` there; after the repair `hub edge release NAME`", "在前置机运行 hub edge show；修复后运行 hub edge release"),
    "edge.clock": Text("The edge's clock is wrong", "前置机时钟有误", "synchronise it", "请校准时钟"),
    "edge.spool_busy": Text("The edge's spool is in use", "前置机缓存正被使用", "run one edge for a connector", "每个连接器只运行一个前置程序"),
    "edge.spool_foreign": Text(
        "The edge's spool was written with another key", "前置机缓存由其他密钥写入", "put the former key back", "请恢复原密钥"),
    # --- commands and processes
    "usage.invalid": Text("The command was given wrongly", "命令用法有误", "see `--help`", "见 --help"),
    "daemon.absent": Text("No daemon is running here", "守护进程未运行", "start `hub run`", "请启动 hub run"),
    "daemon.ended": Text("The daemon ended meanwhile", "守护进程已结束", "start it again and repeat", "请重启后重试"),
    "daemon.silent": Text("The daemon does not answer", "守护进程无应答", "see its log", "请查看日志"),
    "hub.locked": Text("Another process holds this hub", "本系统已被其他进程占用", "end it, or go through it", "请结束该进程或经由它操作"),
    "http.busy": Text("The listen address is taken", "监听地址被占用", "choose another address", "请更换监听地址"),
    "household.unknown": Text("No such household", "没有该户", "check the number", "请核对户编号"),
    "household.ambiguous": Text("The number fits several households", "编号对应多户", "give more of the number", "请提供更完整的编号"),
    "page.unknown": Text("No such page", "没有该批次", "check the number", "请核对批次编号"),
    "lease.stale": Text("Another node took this over", "已由其他节点接管", "nothing to do", "无需处理"),
    "store.unavailable": Text(
        "The database does not answer", "数据库无响应", "check the database; it is tried again by itself", "请检查数据库；系统将自动重试"),
    "store.busy": Text("The database is busy", "数据库繁忙", "it is tried again by itself", "系统将自动重试"),
    "store.newer": Text("The database was written by a newer version of the hub", "数据库由更新版本写入", "install that version or a later one", "请安装相同或更新的版本"),
    "store.full": Text("The disk is full", "磁盘已满", "make room; reports still go out", "请清理磁盘；报告仍会发出"),
    "store.corrupt": Text("The database is damaged", "数据库损坏", "stop, and restore from the backup", "请停机并从备份恢复"),
    "store.refused": Text("The database refused a value", "数据库拒绝写入", "tell the maintainers", "请联系维护人员"),
    "socket.frame": Text("The local connection broke off", "本地连接中断", "repeat the command", "请重试"),
    "socket.page": Text("The local request was not understood", "本地请求无法识别", "use one version of hub everywhere", "请统一版本"),
    "socket.unknown": Text("The local request was not understood", "本地请求无法识别", "use one version of hub everywhere", "请统一版本"),
}  # fmt: skip
"""Code → words, for everything that is not about one row's content."""
