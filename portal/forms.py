"""One question a page. Each step is a form of its own; what was answered waits in the session."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from core.errors import Refused
from core.forms import Form
from services import privacy, typed
from services.enums import Grade, Topic


class PhoneField(forms.RegexField):
    """A mobile or a fixed line, typed as it stands on a note: blanks and hyphens do not matter."""

    def __init__(self, **kwargs):
        super().__init__(rf"^(?:{typed.PHONE.pattern})$", **kwargs)

    def to_python(self, value):
        return typed.phone(super().to_python(value))


class TopicStep(Form):
    at_length = False  # whether one writes so much that switching the version must not lose it
    title = "您需要哪方面的帮助？"
    topic = forms.ChoiceField(
        label="需要的帮助",
        choices=Topic.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择一项；不确定可选“其他”。"},
    )


class ContentStep(Form):
    at_length = True
    title = "请说说具体情况"
    content = forms.CharField(
        label="具体情况",
        min_length=5,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="写清楚需要什么、什么时间方便。请不要写姓名、身份证号、门牌号和病情，社区会与您线下联系。",
        error_messages={
            "required": "请写一写您需要什么帮助。",
            "min_length": "写得再具体一点，至少5个字。",
            "max_length": "最多1000字，请精简一些。",
        },
    )

    def clean_content(self) -> str:
        """Told here, where the text stands, and not only when all has been answered."""
        content = self.cleaned_data["content"]
        try:
            privacy.check_no_id_number(content, field="content", where="内容")
        except Refused as refused:
            raise ValidationError(str(refused)) from refused
        return content


class PhoneStep(Form):
    at_length = False
    title = "社区怎样联系您？"
    phone = PhoneField(
        label="电话",
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        help_text="手机或座机都行，也可以不填，凭单号查看答复。只给所在社区的工作人员看，办结后自动删除。",
        error_messages={
            "invalid": "请核对电话：手机为11位数字，例如 13812341234；座机例如 0532-88881234。也可以不填。"
        },
    )


class TrackForm(Form):
    number = forms.CharField(
        label="单号",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "请填写单号。"},
    )
    secret = forms.CharField(
        label="查询码",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "请填写查询码。"},
    )


class RateForm(Form):
    grade = forms.ChoiceField(
        label="您对办理结果满意吗？",
        choices=Grade.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择一项评价。"},
    )
    comment = forms.CharField(
        label="想说的话",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="评价不记录您的身份。请不要写姓名和电话。",
    )


STEPS = {"topic": TopicStep, "content": ContentStep, "phone": PhoneStep}
