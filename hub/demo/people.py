"""Invented families of the simulated district: names, numbers and addresses that belong to nobody by intent."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import NamedTuple

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "志远文博建平海涛国强思远明哲立群子轩雨桐婉清若兰淑芬丽华静怡晓梅春燕秀珍语嫣欣然安琪"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
COMMUNITIES = ("310101001001", "310101001002", "310101002001")


class Human(NamedTuple):
    """One invented person."""

    name: str
    born: date
    sex: str
    id_number: str
    phone: str
    address: str

    def block(self, prefix: str, **extra: str) -> dict[str, str]:
        """Their columns under a Chinese prefix (甲方, 受害人, 学生 …); ``extra`` overrides by Chinese column name."""
        columns = {
            "姓名": self.name, "证件号码": self.id_number, "性别": self.sex, "联系电话": self.phone, "住址": self.address,
        } | extra  # fmt: skip
        return {prefix + column: value for column, value in columns.items() if value}


class Family(NamedTuple):
    """A registered household of the grid's register."""

    number: str
    community: str
    husband: Human
    wife: Human
    child: Human
    role: str  # of the story: which archetype it plays


def resident_id(born: date, sequence: int) -> str:
    """A resident ID number with the right check character (GB 11643); odd sequences are men."""
    body = f"310101{born:%Y%m%d}{sequence:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


class Registry:
    """Draws families, each person once; the same seed draws the same district for the same day."""

    def __init__(self, today: date, seed: int = 20210830) -> None:
        self.draw = random.Random(seed)
        self.today = today
        self.drawn = 0

    def _human(self, surname: str, sex: str, age: int, address: str) -> Human:
        self.drawn += 1
        born = date(self.today.year - age, 1, 1) + timedelta(days=self.draw.randrange(300))
        sequence = 2 * (self.drawn % 490) + (1 if sex == "男" else 2)
        name = surname + "".join(self.draw.sample(GIVEN, 2))
        return Human(name, born, sex, resident_id(born, sequence), f"1390{self.drawn:07d}", address)

    def family(self, role: str, *, child_age: int = 9) -> Family:
        """A couple and one child, registered in one household; ``child_age`` in years."""
        number = f"H{len(role)}{self.drawn:05d}"
        community = COMMUNITIES[self.drawn // 3 % len(COMMUNITIES)]
        address = (
            f"安宁路{self.draw.randrange(1, 900)}弄{self.draw.randrange(1, 60)}号{self.draw.randrange(101, 1802)}室"
        )
        surname, other = self.draw.sample(SURNAMES, 2)
        husband = self._human(surname, "男", self.draw.randrange(30, 50), address)
        wife = self._human(other, "女", self.draw.randrange(28, 48), address)
        child = self._human(surname, self.draw.choice("男女"), child_age, address)
        return Family(number, community, husband, wife, child._replace(phone=""), role)
