"""Columns of the education bureau's streams: concerns about students, home visits."""

from hub.sdk import Field, concern, person_block, streams_of, visit

STUDENT = person_block("student", "学生", "victim")

CONCERN = concern("学生关切", Field("student_no", "学籍号", "text:student_no"), *STUDENT)

STREAMS = streams_of(CONCERN, visit("visit", "家访", *STUDENT))
