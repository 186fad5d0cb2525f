"""Every stable problem code: what it means in English and Chinese, and what to do about it.

Receipts, the quarantine list and the generated page of problem codes all read this table. A code is never renamed;
a remedy never holds a value. Families: the word before the dot.
"""

from __future__ import annotations

from hub.core.acts import REFUSALS
from hub.core.faults import FAULTS, Text

__all__ = ["PROBLEMS", "Text", "remedy_of", "text_of"]


PROBLEMS: dict[str, Text] = {
    # --- the record's identity
    "key.missing": Text(
        "The record's own number is empty", "缺少记录编号",
        "send the unit's own number in the key column", "请填写本单位编号列"),
    "key.long": Text(
        "The record's own number is too long", "记录编号过长",
        "send at most 128 characters", "编号不得超过128个字符"),
    "key.invalid": Text(
        "The record's own number is damaged", "记录编号已损坏",
        "send the number as text, without control characters or scientific notation", "编号请按文本格式报送，不含控制字符或科学计数法"),
    "kind.unknown": Text(
        "No such kind of record", "未知的记录种类",
        "update the connector: it maps to a kind the hub does not know", "请升级连接器：其记录种类不被识别"),
    # --- fields
    "field.missing": Text(
        "A field without which the record means nothing is empty", "缺少必填字段",
        "fill in the field named here and send the record again", "请补填所列字段后重新报送"),
    "code.unknown": Text(
        "The value stands in no code table", "代码不在码表内",
        "send a number, Chinese word or English word of the code table", "请使用码表中的编号或词语"),
    "count.invalid": Text(
        "Not a whole number", "不是整数", "send a whole number, digits only", "请填写整数"),
    "count.range": Text(
        "The number is outside its range", "数值超出范围",
        "send a number within the range the catalogue gives", "请填写规定范围内的数值"),
    "value.type": Text(
        "The value is a structure, not a cell", "值的类型不正确",
        "send one text, number or truth value per field", "每个字段只填一个文本、数字或是否值"),
    "value.invalid": Text(
        "The value holds control characters", "值中含有控制字符", "send plain text on one line", "请填写单行文本"),
    "value.long": Text(
        "The value is longer than its field allows", "值过长", "send at most 64 characters", "不得超过64个字符"),
    "value.ruined": Text(
        "A spreadsheet turned the number into scientific notation", "编号被电子表格改为科学计数法",
        "format the column as text and send the record again", "请将该列设为文本格式后重新报送"),
    # --- dates
    "date.invalid": Text(
        "Not a date", "日期无法识别",
        "send dates as 2021-08-30 or 2021-08-30 09:30:00", "日期请写作 2021-08-30 或 2021-08-30 09:30:00"),
    "date.future": Text(
        "The time lies more than 24 hours ahead", "时间晚于当前24小时以上",
        "check year and month, and the clock of the sending system", "请核对年月及报送系统时钟"),
    "date.order": Text(
        "The end lies before the start", "结束日期早于开始日期",
        "check both dates and send the record again", "请核对起止日期后重新报送"),
    # --- persons
    "id_number.ruined": Text(
        "A spreadsheet destroyed the end of the ID number", "证件号码被电子表格破坏",
        "format the column as text before typing or importing, and send the number again", "请先将该列设为文本格式，再重新填报号码"),
    "id_number.checksum": Text(
        "The ID number's check character does not fit", "身份证号校验码不符",
        "compare with the card; send the field empty when the number is not known", "请核对证件；不掌握号码时留空"),
    "id_number.date": Text(
        "The ID number holds no possible birth date", "身份证号中的出生日期无效",
        "compare with the card; send the field empty when the number is not known", "请核对证件；不掌握号码时留空"),
    "id_number.format": Text(
        "Not an ID number of the stated document type", "证件号码格式不符",
        "18 characters for a resident card (15 on old ones); other documents with their type",
        "居民身份证为18位（旧证15位）；其他证件请注明证件类型"),
    "phone.invalid": Text(
        "Not a telephone number", "电话号码无法识别",
        "send one number, digits only, with area code for land lines", "请填写一个号码，座机加区号"),
    "person.none": Text(
        "The record names nobody it could belong to", "记录未指明任何人员",
        "fill in the person block", "请填写人员信息"),
    "person.role": Text(
        "A person stands in a role the hub does not know", "人员角色不被识别",
        "update the connector: it names an unknown role", "请升级连接器：其人员角色不被识别"),
    # --- not ours by rule: rejected, not quarantined
    "not_ours.neighbours": Text(
        "A call among neighbours, no family relation stated", "邻里纠纷且未载明家庭关系",
        "nothing to do; a newer version that states the relation is taken", "无需处理；补报关系后将予接收"),
    "not_ours.other_call": Text(
        "A call of another kind, no family relation stated", "其他警情且未载明家庭关系",
        "nothing to do; a newer version that states the relation is taken", "无需处理；补报关系后将予接收"),
    "not_ours.harassment_letter": Text(
        "An admonition letter for sexual harassment", "性骚扰告诫书，不属本系统", "nothing to do", "无需处理"),
    "not_ours.not_domestic": Text(
        "A penalty that is not for domestic violence", "非涉家庭暴力的处罚",
        "nothing to do; a newer version that says otherwise is taken", "无需处理；更正后将予接收"),
    "not_ours.outside_family": Text(
        "A case outside the family", "非家庭成员间案件",
        "nothing to do; a newer version that says otherwise is taken", "无需处理；更正后将予接收"),
    "not_ours.not_needed": Text(
        "A treatment without any sign of harm: not needed here", "诊疗记录无侵害迹象，不需要",
        "nothing to do; the row is erased", "无需处理；该行已删除"),
    # --- quarantined rows that wait no longer
    "version.superseded": Text(
        "A newer version of this record is known", "该记录已有更新的版本", "nothing to do", "无需处理"),
    # --- answers about standing numbers
    "report.unknown": Text(
        "No report has this number", "报告编号不存在", "check the report number", "请核对报告编号"),
    "duty.unknown": Text(
        "No duty has this number", "转办编号不存在", "check the duty number", "请核对转办编号"),
    "message.unknown": Text(
        "No message has this number", "消息编号不存在", "check the message number", "请核对消息编号"),
    # --- what people want to do
    **REFUSALS,
    **FAULTS,
}  # fmt: skip
"""Code → words. Additions are welcome; a code that stands here is never renamed or re-used."""


def text_of(code: str) -> Text:
    """The words of a code; an unknown one explains itself only by its name."""
    return PROBLEMS.get(code) or Text(code, code, "", "")


def remedy_of(code: str, language: str = "en") -> str:
    """What to do about a code."""
    text = text_of(code)
    return text.remedy_zh if language.startswith("zh") else text.remedy
