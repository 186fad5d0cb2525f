"""Columns of a 12345 work order, and its category codes in the hub's words."""

from hub.sdk import COMMON, RELATION, VICTIM, Field, Stream, person_block

# region: codes
CATEGORIES = {
    # 12345's code, or its name: the word of the hub's table `conflict_kind`
    "060101": "general_conflict", "家庭矛盾": "general_conflict",
    "060102": "disturbs_neighbours", "家庭吵闹扰邻": "disturbs_neighbours",
    "060103": "suspected_violence", "疑似家庭暴力": "suspected_violence",
    "060104": "suspected_violence", "疑似虐待遗弃": "suspected_violence",
}  # fmt: skip
# endregion

# region: schema
ORDER = Stream("order", "工单", "conflict_found", ("order_no",), (
    Field("order_no", "工单编号", "key"),
    Field("at", "来电时间", "fact:at"),
    Field("category", "诉求分类", "fact:kind", codes=CATEGORIES),
    Field("repeated", "重复诉求", "fact:frequent"),
    Field("content", "诉求内容", "text:narrative"),
    Field("address", "诉求地址", "text:place"),
    Field("urgency", "紧急程度", "finish"),
    Field("caller_role", "诉求人身份", "finish"),
    Field("call_no", "关联接警编号", "related"),  # the 110 call of the same event
    Field("handling_unit", "承办单位", "drop"),
    *person_block("caller", "诉求人", "reporter"),  # sealed apart, unless the caller is one of the parties
    *person_block("other", "被反映人", "alleged"),
    *VICTIM, RELATION, *COMMON,
))  # fmt: skip
# endregion

# region: words
CONCERNED = {"1", "当事人", "本人"}
"""诉求人身份 that makes the caller a party instead of a reporter; 2 relative 亲属, 3 neighbour 邻居, 9 other 其他."""
URGENT = {"3", "特急"}
# endregion
