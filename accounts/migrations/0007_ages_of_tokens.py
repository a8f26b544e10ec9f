"""Login tokens of before end 90 days after their log-in, too.

One that the release before prolongs meanwhile is shortened at its next use by this one.
"""

from datetime import timedelta

from django.db import migrations
from django.db.models import F

TOKEN_AGE = timedelta(days=90)
BATCH = 1000


def shorten(apps, schema_editor) -> None:
    tokens = apps.get_model("accounts", "ApiKey").objects.filter(kind="token", revoked_at=None)
    too_long = tokens.filter(expires_at__gt=F("created_at") + TOKEN_AGE)
    while batch := list(too_long.values_list("pk", flat=True)[:BATCH]):
        too_long.filter(pk__in=batch).update(expires_at=F("created_at") + TOKEN_AGE)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0006_keys_manage_keys")]
    operations = [migrations.RunPython(shorten, migrations.RunPython.noop, elidable=True)]
