"""Create and update: a form, an action, and nothing lost on any error."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Any

import orjson
from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core import drafts
from core.errors import Conflict, Refused
from core.forms import Asked
from core.scope import require, still_visible
from core.views.details import happenings
from core.views.keeping import KeepsTyped

VERSION = "_version"


class ActionFormView(KeepsTyped):
    """::

        class UnitEdit(ActionFormView):
            model = Unit
            form = UnitForm
            action = staticmethod(update_unit)   # update_unit(unit=…, by=…, **cleaned_data)
            perm = "units.edit"
            title = "修改单位"
            done = "已保存"

        class UnitAdd(ActionFormView):
            model = Unit
            form = UnitForm
            action = staticmethod(register_unit)  # register_unit(by=…, **cleaned_data)
            creates = True
            ...

    What the action refuses is shown at its field or in the error summary, with everything typed
    kept; what was typed and not submitted is given back when the form is opened again (see
    `KeepsTyped`). An update carries a print of the object as it was shown: if somebody else has saved
    meanwhile, the page says who and what, and the next submission is a decision.
    """

    form: type[forms.Form]
    action: Callable[..., Any]
    creates = False
    object_arg = ""  # the action's parameter for the object; by default the model's name
    lead = ""
    submit = "保存"
    done = "已保存。"
    template = "console/form.html"
    blocks = ("page",)

    def check_right(self) -> None:
        """Before a new object there is only the right itself; else the object decides."""
        if self.creates:
            require(self.request.user, self.perm)

    @cached_property
    def object(self) -> Model | None:
        return None if self.creates else self.get_object()

    # -- what a page may override

    def initial(self) -> dict[str, Any]:
        """Defaults filled from what is known: a fact is entered once."""
        if self.object is None or issubclass(self.form, forms.BaseModelForm):
            return {}
        return {n: getattr(self.object, n, None) for n in self.form.base_fields}

    def run(self, data: dict[str, Any]) -> Any:
        """Call the action; returns what it returns."""
        if self.object is not None:
            data = {self.object_arg or self.model._meta.model_name: self.object, **data}
        return self.action(**data, by=self.request.user)

    def success_url(self, result: Any) -> str:
        target = result if isinstance(result, Model) else self.object
        return target.get_absolute_url() + self.place_suffix

    def extra(self) -> dict[str, Any]:
        """More for the template."""
        return {}

    # -- the two requests

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.give_back(self.build())
        shown = drafts.typed_in(self.draft).get(VERSION) if self.draft else None
        return self.show(form, version=shown or print_of(self.object))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.build(request.POST, request.FILES)
        shown = request.POST.get(VERSION, "")
        if not form.is_valid():
            return self.show(form, version=shown, status=422)
        try:
            with transaction.atomic():
                self._hold(shown)
                result = self.run(form.cleaned_data)
                self._stay_in_reach(result)
        except Conflict as error:
            self.__dict__.pop("object", None)  # show and compare with what is there now
            form.add_error(None, error.message)
            return self.show(form, version=print_of(self.object), status=409, clash=True)
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
            return self.show(form, version=shown, status=422)
        self.submitted()
        messages.success(request, self.done)
        return HttpResponseRedirect(self.success_url(result))

    def build(self, *data: Any) -> forms.Form:
        kwargs: dict[str, Any] = {"initial": self.initial()}
        if issubclass(self.form, Asked):
            kwargs["user"] = self.request.user
        if issubclass(self.form, forms.BaseModelForm) and self.object is not None:
            # Checking fills the instance in: the action must get the object as it was.
            kwargs["instance"] = copy.copy(self.object)
        form = self.form(*data, **kwargs)
        form.about = self.object.pk if self.object else None
        return form

    def show(
        self, form: forms.Form, *, version: str, status: int = 200, clash: bool = False
    ) -> HttpResponse:
        return self.page(
            status,
            form=form,
            version=version,
            version_name=VERSION,
            clash=happenings(self.object)[:1] if clash and self.object else [],
            object=self.object,
            **self.keeping(form),
            **self.extra(),
        )

    def crumbs(self) -> list[tuple[str, str]]:
        found = super().crumbs()
        if self.object is not None:
            found.append((str(self.object), self.object.get_absolute_url() + self.place_suffix))
        return found

    # -- guards

    def _hold(self, shown: str) -> None:
        """Lock the object and see that it is as the form showed it."""
        if self.object is None:
            return
        manager = type(self.object)._base_manager
        locked = manager.select_for_update(of=("self",)).filter(pk=self.object.pk).first()
        if locked is None:
            raise Conflict("这条记录刚刚被删除，您的修改没有保存。请先复制填写的内容。")
        if print_of(locked) != shown:
            raise Conflict(
                "您填写期间，这条记录已被他人修改。您填写的内容还在下面，尚未保存；"
                "请对照最新内容核对，再次提交将以您填写的为准。"
            )

    def _stay_in_reach(self, result: Any) -> None:
        if isinstance(result, Model) and hasattr(type(result), "scope"):
            still_visible(result, self.request.user)


def print_of(obj: Model | None) -> str:
    """A short print of an object's columns as they are: equal prints, equal rows."""
    if obj is None:
        return ""
    values = {f.attname: getattr(obj, f.attname) for f in obj._meta.concrete_fields}
    text = orjson.dumps(values, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:32]
