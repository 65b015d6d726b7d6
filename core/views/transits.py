"""One transition of one object: the reason page without script, its dialogue with."""

from __future__ import annotations

from typing import Any

import orjson
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.module_loading import import_string

from core.errors import Conflict, Refused
from core.forms import Asked, Form
from core.logs import leave_unnamed
from core.transitions import Transition, machine_of, transit
from core.views.keeping import KeepsTyped

DIALOG = "dialog"


class TransitView(KeepsTyped):
    """`path("units/<int:pk>/do/<slug:name>/", TransitView.as_view(model=Unit), name="unit-transit")`

    Only what the table offers to this user from this state can be asked for; what a guard
    forbids is shown with its sentence and without a button.
    """

    model: type[Model] | None = None  # given by `as_view(model=…)`
    template = "console/transit.html"
    blocks = (DIALOG,)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._find()
        return self.show(self.give_back(self.build()))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        step = self._find()
        form = self.build(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form, status=422)
        data = dict(form.cleaned_data)
        reason = data.pop("reason", "")
        try:
            done = transit(self.object, step.name, by=request.user, reason=reason, **data)
        except Refused as error:
            status = 409 if isinstance(error, Conflict) else 422
            form.add_error(error.field if error.field in form.fields else None, error.message)
            return self.show(form, status=status)
        self.submitted()
        messages.success(request, f"已{step.label}。")
        target = self.success_url(done)
        if request.htmx:
            # The state, the offers and the timeline all changed: swap the page's body.
            place = {"path": target, "target": "#page", "swap": "outerHTML show:window:top"}
            return HttpResponse(status=204, headers={"HX-Location": orjson.dumps(place).decode()})
        return HttpResponseRedirect(target)

    def success_url(self, done: Any) -> str:
        """The object's page, or the list when the step took it out of this person's sight."""
        if type(done).scope.holds(done, self.request.user):
            return done.get_absolute_url() + self.place_suffix
        crumbs = super().crumbs()
        return crumbs[0][1] if crumbs else reverse("console:home")

    def build(self, *data: Any) -> forms.Form:
        """The reason, and the transition's own form if it has one."""
        form = step_form(self.step)
        kwargs = {"user": self.request.user} if issubclass(form, Asked) else {}
        if self.step.form and hasattr(form, "for_object"):
            kwargs["initial"] = form.for_object(self.object)
        return form(*data, **kwargs)

    def show(self, form: forms.Form, status: int = 200) -> HttpResponse:
        self.title = f"{self.step.label}：{self.object}"
        return self.page(
            status,
            form=form,
            step=self.step,
            object=self.object,
            why_not=self.why_not(),
            **self.keeping(form),
        )

    def why_not(self) -> str | None:
        """Why the step cannot be taken now, in a sentence."""
        return machine_of(self.object).why_not(self.step, self.object, self.request.user)

    def crumbs(self) -> list[tuple[str, str]]:
        here = self.object.get_absolute_url() + self.place_suffix
        return [*super().crumbs(), (str(self.object), here)]

    def _find(self) -> Transition:
        self.object = self.get_object()
        machine = machine_of(self.object)
        step = machine.transitions.get(self.kwargs["name"]) if machine else None
        if step is None or step.perm is None:
            raise Http404(f"{self.model._meta.label} has no transition {self.kwargs['name']!r}")
        if not step.permits(self.object, self.request.user):
            raise PermissionDenied(f"user {self.request.user.pk} may not {step.name}")
        if step.confidential:  # who opens its dialogue is who takes it
            leave_unnamed()
        self.step = step
        return step


def step_form(step: Transition) -> type[forms.Form]:
    """The form of a transition, with the reason that it asks for."""
    base = import_string(step.form) if step.form else Form
    return type("TransitForm", (base,), {"reason": reason_field(step)} if step.reason else {})


def reason_field(step: Transition) -> forms.CharField:
    return forms.CharField(
        label="理由",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="会记入办理过程，对方可以看到。",
        error_messages={"required": f"{step.label}须填写理由。"},
    )
