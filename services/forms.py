"""Forms of the four lists. They ask for little: what is known is filled in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from core.forms import Form, ModelForm
from core.scope import reach_of
from services.actions.clauses import clauses_for
from services.enums import DEFAULT_DUE_DAYS, Grade, ItemKind, Union
from services.models import Claim, Item, Rating, Rectification, Ticket
from services.sides import CLAIMING, DRAFTING, Side, sides_of

_WEEKDAYS = [(str(n), f"周{day}") for n, day in enumerate("一二三四五六日", start=1)]
_NOT_YOURS = "请选择您负责的街道、社区或单位。"


class TagsField(forms.MultipleChoiceField):
    """Several choices that the row keeps as one text: ``"135"`` or ``",orgs,teams,"``."""

    widget = forms.CheckboxSelectMultiple

    def to_python(self, value: Any) -> list[str]:
        return super().to_python(self.prepare_value(value))

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return [v for v in value.split(",") if v] if "," in value else list(value)


class SideMixin(forms.Form):
    """A choice among the person's own sides; hidden where there is but one."""

    side_perm = ""
    side_kinds: tuple[str, ...] = ()

    def find_sides(self) -> None:
        self.sides: dict[str, Side] = {
            s.key: s for s in sides_of(self.user, self.side_perm, self.side_kinds)
        }
        old = self.fields["side"]
        self.fields["side"] = forms.ChoiceField(
            label=old.label,
            choices=[(s.key, s.label) for s in self.sides.values()],
            required=len(self.sides) != 1,
            widget=forms.HiddenInput if len(self.sides) == 1 else forms.Select,
            error_messages={"required": _NOT_YOURS, "invalid_choice": _NOT_YOURS},
        )
        if self.sides:
            self.initial.setdefault("side", next(iter(self.sides)))

    def split_side(self, data: dict[str, Any]) -> dict[str, Any]:
        """The chosen side as the actions take it: `unit` and `area`, one of them None."""
        key = data.pop("side", "") or next(iter(self.sides), "")
        side = self.sides.get(key)
        if side is not None:
            data["unit"], data["area"] = side.unit, side.area
        return data


class ItemFields(ModelForm):
    """What an item says. Shared by the draft, its revision and the ticket's adoption."""

    weekdays = TagsField(label="开放日", choices=_WEEKDAYS, required=False)
    unions = TagsField(label="六联", choices=Union.choices, required=False)

    class Meta:
        model = Item
        fields = (
            "kind",
            "title",
            "content",
            "topic",
            "beneficiary",
            "capacity",
            "due_on",
            "contact",
            "venue",
            "opens_at",
            "closes_at",
        )
        widgets = {
            "kind": forms.RadioSelect,
            "content": forms.Textarea(attrs={"rows": 4}),
            "opens_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "closes_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }
        help_texts = {
            "content": "发布后任何人都能看到：不写居民姓名、住址、电话和健康情况。",
            "capacity": "可由几家认领。需求一般为 1。",
            "contact": "留社区或单位的办公电话，不留居民电话。",
        }

    groups = (
        ("", ("side", "kind", "title", "content", "topic", "beneficiary")),
        ("名额和时限", ("capacity", "due_on", "contact")),
        ("地点和开放时间", ("venue", "weekdays", "opens_at", "closes_at")),
        ("标签", ("unions",)),
        ("", ("then",)),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].choices = ItemKind.choices
        if self.instance.pk:
            self.initial["weekdays"] = self.instance.weekdays
            self.initial["unions"] = self.instance.unions

    def clean_weekdays(self) -> str:
        return "".join(self.cleaned_data["weekdays"])


class ThenMixin(forms.Form):
    """What happens after the draft is kept; who may publish is offered that first."""

    then = forms.ChoiceField(
        label="保存后",
        choices=[("publish", "直接发布"), ("submit", "提交审核"), ("draft", "先存草稿")],
        required=False,
        widget=forms.RadioSelect,
    )

    def offer_then(self) -> None:
        field = self.fields["then"]
        if not reach_of(self.user, "services.review"):
            field.choices = field.choices[1:]
        self.initial.setdefault("then", field.choices[0][0])


class ItemForm(SideMixin, ThenMixin, ItemFields):
    """A new item, handed in or published at once."""

    side_perm, side_kinds = "services.draft", DRAFTING
    side = forms.CharField(label="提出单位", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.find_sides()
        self.offer_then()

    def clean(self) -> dict[str, Any]:
        return self.split_side(super().clean())


class ItemRevision(ItemFields):
    """A draft or returned item anew."""


class ResizeForm(ModelForm):
    class Meta:
        model = Item
        fields = ("capacity",)
        help_texts = {"capacity": "改为已认领数，即不再接受新的认领。"}


class ClaimForm(SideMixin, ModelForm):
    """Two clicks for who has one side: everything is filled in."""

    side_perm, side_kinds = "services.claim", CLAIMING
    side = forms.CharField(label="认领方", required=False)
    quantity = forms.IntegerField(label="认领名额", min_value=1, required=False)
    responsible = forms.CharField(label="责任人", max_length=40, required=False)
    due_on = forms.DateField(label="时限", required=False)

    class Meta:
        model = Claim
        fields = ("clause",)
        help_texts = {"clause": "属于双方共建协议约定的，请选条款，验收后自动计入履约。"}

    def __init__(self, *args: Any, item: Item, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.item = item
        self.find_sides()
        self.initial |= {"responsible": self.user.name, "quantity": 1}
        today = timezone.localdate()
        default = item.due_on or today + timedelta(days=DEFAULT_DUE_DAYS)
        self.initial.setdefault("due_on", max(default, today))
        if item.places_left <= 1:
            del self.fields["quantity"]
        self._offer_clauses()

    def _offer_clauses(self) -> None:
        """Only clauses of an own side; none to choose from, no field."""
        field = self.fields["clause"]
        # Not even while the item is not known: what is taken would tell which clauses there are.
        field.queryset = field.queryset.none()
        if not self.item.pk:
            return
        for side in self.sides.values():
            field.queryset |= clauses_for(self.item, unit=side.unit, area=side.area)
        field.empty_label = "不按协议条款"
        field.label_from_instance = lambda clause: f"{clause.agreement.title}：{clause}"
        field.queryset = field.queryset.select_related("agreement")
        if not field.queryset.exists():
            del self.fields["clause"]

    def clean(self) -> dict[str, Any]:
        data = self.split_side(super().clean())
        return {name: value for name, value in data.items() if value not in (None, "")}

    def _post_clean(self) -> None:
        """The instance is not filled in: the action builds and checks the claim."""


# Of transitions ------------------------------------------------------------------------------


class DeliverForm(Form):
    result = forms.CharField(
        label="完成情况",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="一两句话即可，不需要照片。",
    )
    delivered = forms.DecimalField(
        label="计入履约数量", min_value=0.1, max_digits=9, decimal_places=1, required=False
    )

    @staticmethod
    def for_object(claim: Claim) -> dict[str, Any]:
        return {"delivered": claim.quantity if claim.clause_id else None}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.initial and self.initial["delivered"] is None:
            del self.fields["delivered"]


class RatingForm(ModelForm):
    class Meta:
        model = Rating
        fields = ("grade", "comment")
        widgets = {"grade": forms.RadioSelect, "comment": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["grade"].choices = Grade.choices


class MeasureForm(ModelForm):
    class Meta:
        model = Rectification
        fields = ("measure",)
        widgets = {"measure": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["measure"].required = True


class CallBackForm(ModelForm):
    class Meta:
        model = Rectification
        fields = ("callback",)
        widgets = {"callback": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["callback"].required = True


class AdoptForm(ThenMixin, ItemFields):
    """A resident's words made fit for publication."""

    class Meta(ItemFields.Meta):
        fields = ("title", "content", "topic", "beneficiary", "due_on", "contact")

    weekdays = unions = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_then()

    @staticmethod
    def for_object(ticket: Ticket) -> dict[str, Any]:
        return {
            "content": ticket.content,
            "topic": ticket.topic,
            "beneficiary": ticket.beneficiary,
            "due_on": timezone.localdate() + timedelta(days=DEFAULT_DUE_DAYS),
        }


class RevealForm(Form):
    reason = forms.CharField(label="查看理由", max_length=200, help_text="查看记录会留存。")
