"""The form for an account's name and for how long its files and prompts are kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import choices
from accounts.choices import Choices, Retention
from accounts.models import Account
from console.forms.keys import seen
from generation.outputs import retention

MOST_COUNTED = 1_000


class AccountForm(forms.Form):
    """``seen`` names the choices that the page showed; ``confirmed`` allows to delete files."""

    name = forms.CharField(
        label=_("Name"), max_length=Account._meta.get_field("name").max_length, validators=[seen]
    )
    outputs = forms.IntegerField(label=_("Days to keep videos and images"), required=False)
    prompts = forms.IntegerField(label=_("Days to keep prompts"), required=False)
    confirmed = forms.BooleanField(
        label=_("Delete what is older"), required=False, widget=forms.HiddenInput()
    )
    seen = forms.CharField(widget=forms.HiddenInput(), required=False)

    def __init__(self, account: Account, sent: Any = None) -> None:
        """Fill in the account's choices. ``sent`` is what a browser sent."""
        now = Choices.of(account)
        filled = {
            "name": now.name,
            "outputs": now.output_retention_days,
            "prompts": now.prompt_retention_days,
            "seen": now.fingerprint,
        }
        super().__init__(sent, initial=filled)
        self.account = account
        self.kept = {"outputs": choices.outputs(account), "prompts": choices.prompts(account)}
        for name, kept in self.kept.items():
            self.fields[name].help_text = _help(kept)

    def clean(self) -> dict[str, Any]:
        """Check that the days may be chosen; ask before a choice deletes anything."""
        values = super().clean() or {}
        for name, kept in self.kept.items():
            if name in values and not kept.may_become(values[name]):
                self.add_error(name, _bounds(kept))
        if not self.errors and not values.get("confirmed"):
            self._ask(values)
        return values

    def wanted(self) -> Choices:
        values = self.cleaned_data
        return Choices(values["name"], values["outputs"], values["prompts"])

    def _ask(self, values: dict[str, Any]) -> None:
        """Say what a shorter time deletes, if anything."""
        older = {
            "outputs": retention.with_older_output,
            "prompts": retention.with_older_prompt,
        }
        for name, kept in self.kept.items():
            if kept.is_shortened_by(values[name]):
                days = Retention(values[name], kept.default).days
                count = older[name](self.account, days)[: MOST_COUNTED + 1].count()
                if count:
                    self.add_error(name, _what_goes(name, count, days))
        if self.errors:
            self.fields["confirmed"].widget = forms.CheckboxInput()
            self.add_error(
                "confirmed", gettext("Nothing is changed yet. Tick this if you mean it.")
            )


def _help(kept: Retention) -> str:
    if kept.default:
        usual = ngettext(
            "Empty: as this service does, %(days)d day.",
            "Empty: as this service does, %(days)d days.",
            kept.default,
        ) % {"days": kept.default}
    else:
        usual = gettext("Empty: as this service does, for ever.")
    return f"{_bounds(kept)} {usual}"


def _bounds(kept: Retention) -> str:
    sentence = gettext("From 1 to %(most)s days after it was made.") % {"most": f"{kept.longest:,}"}
    if kept.own is None or (0 < kept.own <= kept.longest):
        return sentence
    given = gettext("for ever") if kept.own == 0 else gettext("%d days") % kept.own
    return gettext("%(bounds)s It is %(given)s now, which you may keep.") % {
        "bounds": sentence,
        "given": given,
    }


def _what_goes(name: str, count: int, days: int) -> str:
    """The sentence about what would be deleted. ``count`` is exact up to MOST_COUNTED."""
    shown = gettext("more than %s") % f"{MOST_COUNTED:,}" if count > MOST_COUNTED else f"{count:,}"
    sentences = {
        "outputs": gettext(
            "Files of yours that are older than %(days)s days: %(count)s. They will be deleted"
            " within minutes, for good."
        ),
        "prompts": gettext(
            "Prompts of yours that are older than %(days)s days: %(count)s. They will be erased"
            " within minutes, for good."
        ),
    }
    return sentences[name] % {"count": shown, "days": f"{days:,}"}
