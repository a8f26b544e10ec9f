import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("generation", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "received",
                    models.BigIntegerField(
                        db_comment="bytes of the request's body, as announced until it is here"
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        blank=True, db_comment="in our storage", db_default="", max_length=200
                    ),
                ),
                ("content_type", models.CharField(blank=True, db_default="", max_length=20)),
                ("width", models.PositiveIntegerField(null=True)),
                ("height", models.PositiveIntegerField(null=True)),
                ("size", models.BigIntegerField(db_comment="bytes that we keep", null=True)),
                ("sha256", models.CharField(blank=True, db_default="", max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("expires_at", models.DateTimeField(null=True)),
                ("deleted_at", models.DateTimeField(null=True)),
                (
                    "next_look_at",
                    models.DateTimeField(
                        db_comment="when retention looks at it; while claimed, the lease's end",
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uploads",
                        to="accounts.account",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UploadUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "generation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="upload_uses",
                        to="generation.generation",
                    ),
                ),
                (
                    "upload",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uses",
                        to="generation.upload",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["account", "created_at"], name="upload_of_account"),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(
                condition=models.Q(
                    models.Q(("key", ""), _negated=True),
                    ("deleted_at__isnull", True),
                    _connector="OR",
                ),
                fields=["next_look_at"],
                name="upload_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__isnull", True),
                    models.Q(
                        ("height__gt", 0),
                        ("size__gt", 0),
                        ("width__gt", 0),
                        models.Q(("sha256", ""), _negated=True),
                        models.Q(("content_type", ""), _negated=True),
                        models.Q(
                            models.Q(("key", ""), _negated=True),
                            ("deleted_at__isnull", False),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="upload_that_can_be_used_is_stored",
            ),
        ),
        migrations.AddConstraint(
            model_name="uploaduse",
            constraint=models.UniqueConstraint(
                fields=("upload", "generation"), name="upload_used_once_a_generation"
            ),
        ),
    ]
