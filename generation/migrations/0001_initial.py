"""The tables of the product: what is sold, what was ordered, and what came of it.

The database finds four columns of a generation itself: `0002_guards` compares its charge and its
refund by them. They are no fields of the model, since nobody writes or reads them.
"""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.ids

COMPUTED = """
ALTER TABLE generation_generation
    ADD COLUMN charge_kind varchar(10) GENERATED ALWAYS AS ('charge') STORED,
    ADD COLUMN charge_amount bigint GENERATED ALWAYS AS (-price::bigint) STORED,
    ADD COLUMN refund_kind varchar(10)
        GENERATED ALWAYS AS (CASE WHEN refund_id IS NOT NULL THEN 'refund' END) STORED,
    ADD COLUMN refund_amount bigint
        GENERATED ALWAYS AS (CASE WHEN refund_id IS NOT NULL THEN price::bigint END) STORED
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("accounts", "0001_initial"), ("credits", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="CatalogModel",
            fields=[
                ("name", models.SlugField(primary_key=True, serialize=False)),
                ("aliases", models.JSONField(blank=True, default=list)),
                (
                    "kind",
                    models.CharField(
                        choices=[("video", "Video"), ("image", "Image")], max_length=5
                    ),
                ),
                ("quality", models.CharField(max_length=20)),
                ("price", models.PositiveIntegerField(db_comment="credits")),
                (
                    "shapes",
                    models.JSONField(
                        db_comment="allowed aspect ratios or sizes; the first is the default"
                    ),
                ),
                ("estimated_time", models.CharField(max_length=40)),
                ("estimated_time_with_images", models.CharField(blank=True, max_length=40)),
                ("message", models.CharField(db_comment="what a create answers", max_length=80)),
                ("message_with_images", models.CharField(blank=True, max_length=80)),
                (
                    "expected_seconds",
                    models.PositiveIntegerField(db_comment="until ready; progress is drawn by it"),
                ),
                ("first_poll_seconds", models.PositiveIntegerField(default=25)),
                (
                    "submits_per_minute",
                    models.PositiveIntegerField(
                        db_comment="what the provider's quota lets through; admission is judged by it",
                        default=50,
                    ),
                ),
                ("provider_model", models.CharField(blank=True, max_length=100)),
                ("enabled", models.BooleanField(default=True)),
                ("retires_at", models.DateTimeField(blank=True, null=True)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                (
                    "max_open_operations",
                    models.PositiveIntegerField(
                        db_comment="asked for and not answered yet, over all accounts", default=1000
                    ),
                ),
            ],
            options={
                "ordering": ("position", "name"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("price__gt", 0)), name="catalog_price_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["video", "image"])),
                        name="catalog_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expected_seconds", 0), _negated=True),
                            models.Q(("estimated_time", ""), _negated=True),
                        ),
                        name="catalog_says_how_long_it_takes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderGate",
            fields=[
                (
                    "model",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="gate",
                        serialize=False,
                        to="generation.catalogmodel",
                    ),
                ),
                ("next_submit_at", models.DateTimeField()),
                (
                    "window_ends_at",
                    models.DateTimeField(db_comment="calls and failures are counted until then"),
                ),
                ("calls", models.PositiveIntegerField(default=0)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("quota_errors", models.PositiveIntegerField(db_comment="in a row", default=0)),
                ("open_until", models.DateTimeField(null=True)),
                (
                    "trips",
                    models.PositiveSmallIntegerField(
                        db_comment="in a row, without a success", default=0
                    ),
                ),
                (
                    "lasted",
                    models.JSONField(
                        db_comment="seconds from acceptance until seen done, of the last ones",
                        db_default=[],
                        default=list,
                    ),
                ),
                (
                    "held_until",
                    models.DateTimeField(
                        db_comment="nothing is bought until then: its output could not be stored",
                        null=True,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("failures__lte", models.F("calls"))),
                        name="gate_failures_are_calls",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Generation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=255, null=True)),
                ("request_sha256", models.BinaryField(max_length=32, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("video", "Video"), ("image", "Image")], max_length=5
                    ),
                ),
                ("prompt", models.CharField(blank=True, max_length=1000)),
                (
                    "parameters",
                    models.JSONField(
                        db_comment="validated: aspect_ratio or size, source_image_urls"
                    ),
                ),
                ("price", models.PositiveIntegerField(db_comment="credits, as charged")),
                ("estimated_time", models.CharField(max_length=40)),
                ("expected_seconds", models.FloatField(db_comment="as scaled at creation")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("submitting", "Submitting"),
                            ("submit_unknown", "Submit Unknown"),
                            ("running", "Running"),
                            ("storing", "Storing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("canceled", "Canceled"),
                        ],
                        default="queued",
                        max_length=14,
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(db_comment="one more with every event", default=1),
                ),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        db_comment="when due; while claimed, when the lease ends", null=True
                    ),
                ),
                ("lease_token", models.UUIDField(null=True)),
                (
                    "strikes",
                    models.PositiveSmallIntegerField(
                        db_comment="claims without a write-back", default=0
                    ),
                ),
                (
                    "retries",
                    models.PositiveSmallIntegerField(
                        db_comment="failed tries of this state", default=0
                    ),
                ),
                ("deadline_at", models.DateTimeField()),
                ("unknown_until", models.DateTimeField(null=True)),
                ("unknown_attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "last_error",
                    models.TextField(
                        blank=True, db_comment="for operators; never shown to customers"
                    ),
                ),
                ("project", models.CharField(blank=True, max_length=100)),
                ("location", models.CharField(blank=True, max_length=50)),
                ("provider_model", models.CharField(blank=True, max_length=100)),
                ("operation_name", models.CharField(max_length=400, null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                (
                    "output_uri",
                    models.CharField(blank=True, db_comment="at the provider", max_length=500),
                ),
                (
                    "output_key",
                    models.CharField(blank=True, db_comment="in our storage", max_length=200),
                ),
                ("output_type", models.CharField(blank=True, max_length=20)),
                ("output_size", models.BigIntegerField(db_comment="bytes", null=True)),
                ("output_sha256", models.CharField(blank=True, max_length=64)),
                (
                    "output_facts",
                    models.JSONField(
                        db_comment="as read back: duration, width, height, codecs", default=dict
                    ),
                ),
                ("output_deleted_at", models.DateTimeField(null=True)),
                ("error_code", models.CharField(blank=True, max_length=30)),
                ("error_message", models.CharField(blank=True, max_length=400)),
                ("error_retryable", models.BooleanField(default=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="generations",
                        to="accounts.account",
                    ),
                ),
                (
                    "api_key",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.apikey",
                    ),
                ),
                (
                    "charge",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="credits.ledgerentry",
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
                (
                    "model",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.catalogmodel",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="credits.ledgerentry",
                    ),
                ),
                (
                    "retry_of",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retried_by",
                        to="generation.generation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["state", "next_attempt_at"],
                        name="generation_due",
                    ),
                    models.Index(
                        fields=["account", "-created_at", "-id"], name="generation_history"
                    ),
                    models.Index(
                        condition=models.Q(("retry_of__isnull", False)),
                        fields=["retry_of"],
                        name="generation_retried_by",
                    ),
                    models.Index(
                        condition=models.Q(("finished_at__isnull", False)),
                        fields=["state", "-finished_at"],
                        name="generation_finished",
                    ),
                    models.Index(
                        condition=models.Q(("output_key", ""), _negated=True),
                        fields=["account", "finished_at"],
                        name="generation_with_output",
                    ),
                    models.Index(
                        condition=models.Q(
                            models.Q(("prompt", ""), _negated=True), ("finished_at__isnull", False)
                        ),
                        fields=["account", "finished_at"],
                        name="generation_with_prompt",
                    ),
                    django.contrib.postgres.indexes.BTreeIndex(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        deduplicate_items=False,
                        fields=["model", "state", "account", "created_at"],
                        name="generation_open_of_model",
                    ),
                    models.Index(fields=["api_key"], name="generation_ordered_with"),
                    models.Index(
                        condition=models.Q(("error_code", "invalid_source_image")),
                        fields=["account", "finished_at"],
                        name="generation_bad_images",
                    ),
                    models.Index(
                        condition=models.Q(("finished_at__isnull", False)),
                        fields=["account", "state", "kind", "-created_at", "-id"],
                        name="generation_ended_of_account",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "idempotency_key"),
                        name="generation_idempotency_key_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "queued",
                                    "submitting",
                                    "submit_unknown",
                                    "running",
                                    "storing",
                                    "completed",
                                    "failed",
                                    "canceled",
                                ],
                            )
                        ),
                        name="generation_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("next_attempt_at__isnull", False),
                                (
                                    "state__in",
                                    [
                                        "queued",
                                        "submitting",
                                        "submit_unknown",
                                        "running",
                                        "storing",
                                    ],
                                ),
                            ),
                            models.Q(
                                ("next_attempt_at__isnull", True),
                                ("state__in", ["completed", "failed", "canceled"]),
                            ),
                            _connector="OR",
                        ),
                        name="generation_open_iff_scheduled",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("refund__isnull", False), ("state__in", ["failed", "canceled"])
                            ),
                            models.Q(
                                models.Q(("state__in", ["failed", "canceled"]), _negated=True),
                                ("refund__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="generation_refunded_iff_not_delivered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state", "completed"),
                                models.Q(
                                    models.Q(("output_key", ""), _negated=True),
                                    ("output_deleted_at__isnull", False),
                                    _connector="OR",
                                ),
                            ),
                            models.Q(
                                models.Q(("state", "completed"), _negated=True),
                                ("output_deleted_at__isnull", True),
                                ("output_key", ""),
                            ),
                            _connector="OR",
                        ),
                        name="generation_completed_iff_stored",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "error_code__in",
                                    [
                                        "content_filtered",
                                        "invalid_source_image",
                                        "provider_rejected",
                                        "provider_error",
                                        "empty_result",
                                        "timeout",
                                        "submission_lost",
                                    ],
                                ),
                                ("state", "failed"),
                            ),
                            models.Q(
                                models.Q(("state", "failed"), _negated=True), ("error_code", "")
                            ),
                            _connector="OR",
                        ),
                        name="generation_failed_iff_error",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("finished_at__isnull", True),
                                (
                                    "state__in",
                                    [
                                        "queued",
                                        "submitting",
                                        "submit_unknown",
                                        "running",
                                        "storing",
                                    ],
                                ),
                            ),
                            models.Q(
                                ("finished_at__isnull", False),
                                ("lease_token__isnull", True),
                                ("state__in", ["completed", "failed", "canceled"]),
                            ),
                            _connector="OR",
                        ),
                        name="generation_finished_iff_terminal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "running"), _negated=True),
                            ("operation_name__isnull", False),
                            _connector="OR",
                        ),
                        name="generation_running_has_an_operation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "storing"), _negated=True),
                            models.Q(("output_uri", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="generation_storing_has_an_output",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "submit_unknown"), _negated=True),
                            ("unknown_until__isnull", False),
                            _connector="OR",
                        ),
                        name="generation_unknown_has_a_window",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("idempotency_key__isnull", True), ("request_sha256__isnull", True)
                            ),
                            models.Q(
                                ("idempotency_key__isnull", False),
                                ("request_sha256__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="generation_key_has_its_request",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("operation_name__isnull", False)),
                        fields=("operation_name",),
                        name="generation_operation_unique",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("refund__isnull", False)),
                        fields=("refund",),
                        name="generation_refund_unique",
                    ),
                ],
                "permissions": [
                    ("retry_generation", "Can retry a generation"),
                    ("fail_generation", "Can fail and refund a generation"),
                    ("cancel_generation", "Can cancel a generation"),
                ],
            },
        ),
        # backwards there is nothing to do: the columns go with their table
        migrations.RunSQL(COMPUTED, migrations.RunSQL.noop),
        # the three columns after them, in the order that every database has them
        migrations.AddField(
            model_name="generation",
            name="grant",
            field=models.ForeignKey(
                db_comment="what paid for it, unless the customer did",
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="credits.ledgerentry",
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="adjustment",
            field=models.ForeignKey(
                db_comment="what took the grant back, with the refund",
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="credits.ledgerentry",
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="images_until",
            field=models.DateTimeField(
                db_comment="when its source images have to be prepared; null = nothing awaited",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="generation",
            index=models.Index(
                condition=models.Q(("images_until__isnull", False)),
                fields=["account", "next_attempt_at"],
                name="generation_awaits_images",
            ),
        ),
        migrations.AddConstraint(
            model_name="generation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("adjustment__isnull", True), ("grant__isnull", True)),
                    models.Q(
                        ("adjustment__isnull", True),
                        ("grant__isnull", False),
                        ("refund__isnull", True),
                    ),
                    models.Q(
                        ("adjustment__isnull", False),
                        ("grant__isnull", False),
                        ("refund__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="generation_grant_goes_back_iff_refunded",
            ),
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("prefix", models.CharField(max_length=300, unique=True)),
                ("provider_model", models.CharField(max_length=100)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("accepted", "Accepted"),
                            ("not_accepted", "Not Accepted"),
                            ("rejected", "Rejected"),
                            ("unknown", "Unknown"),
                            ("adopted", "Adopted"),
                        ],
                        default="asked",
                        max_length=12,
                    ),
                ),
                ("operation_name", models.CharField(blank=True, max_length=400)),
                ("detail", models.TextField(blank=True)),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "generation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="generation.generation",
                    ),
                ),
                (
                    "next_look_at",
                    models.DateTimeField(
                        db_comment="for what nobody got; while claimed, the lease's end",
                        db_default=django.db.models.functions.datetime.Now(),
                        null=True,
                    ),
                ),
                (
                    "refusal",
                    models.JSONField(
                        db_comment="the provider's, for operators: category, support_codes",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ("number",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_look_at__isnull", False)),
                        fields=["next_look_at"],
                        name="attempt_to_look_at",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("generation", "number"), name="attempt_number_unique_in_generation"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "outcome__in",
                                [
                                    "asked",
                                    "accepted",
                                    "not_accepted",
                                    "rejected",
                                    "unknown",
                                    "adopted",
                                ],
                            )
                        ),
                        name="attempt_outcome_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GenerationEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sequence", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("submitting", "Submitting"),
                            ("submit_unknown", "Submit Unknown"),
                            ("running", "Running"),
                            ("storing", "Storing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("canceled", "Canceled"),
                        ],
                        max_length=14,
                    ),
                ),
                ("is_terminal", models.BooleanField(default=False)),
                ("data", models.JSONField(default=dict)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                (
                    "generation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="generation.generation",
                    ),
                ),
            ],
            options={
                "ordering": ("sequence",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("generation", "sequence"),
                        name="event_sequence_unique_in_generation",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_terminal", True)),
                        fields=("generation",),
                        name="event_terminal_once_a_generation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("is_terminal", True),
                                ("state__in", ["completed", "failed", "canceled"]),
                            ),
                            models.Q(
                                ("is_terminal", False),
                                (
                                    "state__in",
                                    [
                                        "queued",
                                        "submitting",
                                        "submit_unknown",
                                        "running",
                                        "storing",
                                    ],
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="event_terminal_iff_state_is",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Orphan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uri", models.CharField(max_length=500)),
                (
                    "found_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "attempt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orphan",
                        to="generation.attempt",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "generation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="generation.generation",
                    ),
                ),
                ("key", models.CharField(db_comment="in our storage", max_length=200)),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                (
                    "next_try_at",
                    models.DateTimeField(
                        db_comment="while claimed, the lease's end",
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("last_error", models.TextField(blank=True, db_default="")),
            ],
            options={
                "indexes": [models.Index(fields=["next_try_at"], name="erasure_due")],
            },
        ),
        migrations.CreateModel(
            name="PreparedImages",
            fields=[
                (
                    "generation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="generation.generation",
                    ),
                ),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                (
                    "next_look_at",
                    models.DateTimeField(
                        db_comment="when the end of the generation is looked for; while claimed, the lease's end",
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["next_look_at"], name="prepared_images_due")],
            },
        ),
    ]
