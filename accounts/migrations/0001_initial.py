"""The tables of who calls: people, tenants, who belongs where, and their secrets."""

import uuid

import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=150)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("suspended_reason", models.CharField(blank=True, max_length=200)),
                ("creates_per_minute", models.PositiveIntegerField(blank=True, null=True)),
                ("reads_per_minute", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("output_retention_days", models.PositiveIntegerField(blank=True, null=True)),
                ("prompt_retention_days", models.PositiveIntegerField(blank=True, null=True)),
                ("keys_manage_keys", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-created_at", "-id"], name="account_newest"),
                    models.Index(
                        condition=models.Q(("suspended_at__isnull", False)),
                        fields=["-created_at", "-id"],
                        name="account_suspended",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("output_retention_days__lte", 36500)),
                        name="account_output_retention_at_most_a_century",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("prompt_retention_days__lte", 36500)),
                        name="account_prompt_retention_at_most_a_century",
                    ),
                ],
                "permissions": [
                    ("suspend_account", "Can suspend and resume an account"),
                    ("limit_account", "Can change the limits of an account"),
                ],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                (
                    "first_name",
                    models.CharField(blank=True, max_length=150, verbose_name="first name"),
                ),
                (
                    "last_name",
                    models.CharField(blank=True, max_length=150, verbose_name="last name"),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="date joined"
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                ("email_verified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("registered", "Registered"),
                            ("create_account", "Create Account"),
                            ("create_staff", "Create Staff"),
                            ("add_user", "Add User"),
                        ],
                        db_default="registered",
                        default="registered",
                        editable=False,
                        max_length=20,
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        db_comment="who of the staff added this user",
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_staff", True)),
                        fields=["username"],
                        name="user_of_staff",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"),
                        name="user_email_unique_whatever_the_case",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("username"),
                        name="user_name_unique_whatever_the_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "origin__in",
                                ["registered", "create_account", "create_staff", "add_user"],
                            )
                        ),
                        name="user_origin_is_known",
                    ),
                ],
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("key", "Key"), ("token", "Token")], default="key", max_length=5
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=100)),
                (
                    "digest",
                    models.BinaryField(
                        db_comment="SHA-256 of the secret, never the secret", max_length=32
                    ),
                ),
                ("preview", models.CharField(max_length=16)),
                ("scopes", models.JSONField(blank=True, db_comment="empty = all", default=list)),
                (
                    "spend_limit",
                    models.PositiveBigIntegerField(blank=True, db_comment="credits", null=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to="accounts.account",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["account", "kind", "created_at"], name="api_key_by_account"
                    ),
                    models.Index(fields=["-created_at", "-id"], name="api_key_newest"),
                    models.Index(
                        fields=["preview"],
                        name="api_key_by_preview",
                        opclasses=["varchar_pattern_ops"],
                    ),
                    models.Index(
                        condition=models.Q(("kind", "token")),
                        fields=["expires_at"],
                        name="api_key_token_by_end",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("digest",), name="api_key_digest_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["key", "token"])),
                        name="api_key_kind_is_known",
                    ),
                ],
                "permissions": [("revoke_apikey", "Can revoke an API key or a login token")],
                "verbose_name": "API key",
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("member", "Member")],
                        default="owner",
                        max_length=10,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="accounts.account",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "account"), name="member_once_an_account"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "member"])),
                        name="membership_role_is_known",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="account",
            name="members",
            field=models.ManyToManyField(
                related_name="accounts", through="accounts.Membership", to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
