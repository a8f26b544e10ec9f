"""What a model can do and what each of it costs become data of its row; a model of Omni's, not sold.

The prices are made from the row's own, so that what an operator has set stays.
"""

from django.db import migrations, models

ABILITIES = {
    "durations": [4, 6, 8],
    "default_duration": 8,
    "durations_by_resolution": {"1080p": [8], "4k": [8]},
    "durations_by_images": {"3": [8]},
    "resolutions": ["720p", "1080p", "4k"],
    "audio": "optional",
    "seed_max": 4294967295,
    "negative_prompt": True,
    "max_images": 3,
}
TIMES = {
    "1080p": {"estimated_time": "90-120 seconds", "expected_seconds": 110},
    "4k": {"estimated_time": "120-240 seconds", "expected_seconds": 200},
}
# Of the row's price, in percent: as the provider's prices are to each other
SHARES = {
    "veo3_fast": {
        "720p": {"silent": 80},
        "1080p": {"audio": 120, "silent": 100},
        "4k": {"audio": 300, "silent": 250},
    },
    "veo3": {
        "720p": {"silent": 50},
        "1080p": {"audio": 100, "silent": 50},
        "4k": {"audio": 150, "silent": 100},
    },
}
OMNI = {
    "name": "omni",
    "kind": "video",
    "quality": "standard",
    "price": 168,
    "prices": {"1080p": {"audio": 252}, "4k": {"audio": 504}},
    "shapes": ["16:9", "9:16"],
    "abilities": {
        "durations": list(range(3, 16)),
        "default_duration": 8,
        "durations_by_resolution": {},
        "durations_by_images": {"2": list(range(3, 11))},
        "resolutions": ["720p", "1080p", "4k"],
        "audio": "always",
        "seed_max": 2147483647,
        "negative_prompt": False,
        "max_images": 3,
    },
    "backend": "interactions",
    "provider_model": "gemini-omni-1.2-flash",
    "estimated_time": "60-180 seconds",
    "estimated_time_with_images": "60-180 seconds",
    "message": "Video generation started successfully",
    "message_with_images": "Image-to-video generation started successfully",
    "expected_seconds": 120,
    "first_poll_seconds": 30,
    "submits_per_minute": 10,
    "enabled": False,
    "position": 3,
}

# In SQL, so that it holds whoever writes. Of a video model, each combination that its abilities
# sell has a price: the first resolution's default sound has the row's own, the others are listed.
FORWARD = """
CREATE FUNCTION catalog_row_is_whole(kind text, abilities jsonb, prices jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT kind <> 'video' OR COALESCE(
        NOT abilities
            @? 'strict $.durations[*] ? (@.type() != "number" || @ < 1 || @ != @.floor())'
        AND abilities->'durations' @> (abilities->'default_duration')
        AND NOT abilities
            @? 'strict $.durations_by_resolution.* ? (@.type() != "array" || @.size() == 0)'
        AND NOT abilities
            @? 'strict $.durations_by_images.* ? (@.type() != "array" || @.size() == 0)'
        AND abilities @? 'strict $.resolutions[*] ? (@.type() == "string")'
        AND NOT abilities @? 'strict $.resolutions[*] ? (@.type() != "string")'
        AND abilities @? 'strict $.max_images ? (@ >= 0 && @ <= 3)'
        AND abilities->>'audio' IN ('optional', 'always', 'never')
        AND jsonb_typeof(abilities->'negative_prompt') = 'boolean'
        AND (SELECT bool_and(
                (place = 1 AND number = 1)
                OR COALESCE(prices->(name #>> '{}')->>sound ~ '^[1-9][0-9]{0,8}$', false))
               FROM jsonb_path_query(abilities, 'strict $.resolutions[*]', '{}', true)
                    WITH ORDINALITY AS resolution(name, place),
                    unnest(CASE abilities->>'audio' WHEN 'always' THEN ARRAY['audio']
                                                    WHEN 'never' THEN ARRAY['silent']
                                                    ELSE ARRAY['audio', 'silent'] END)
                    WITH ORDINALITY AS sounds(sound, number)),
        false)
$$;

-- Of a request's parameters, what retention leaves: the number of source images, since the public
-- form shows it, and nothing that is personal text.
CREATE OR REPLACE FUNCTION generation_without_urls(parameters jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(parameters->'source_image_urls') = 'array'
                THEN jsonb_set(parameters, '{source_image_urls}', (
                    SELECT COALESCE(jsonb_agg(''::text), '[]'::jsonb)
                      FROM jsonb_array_elements(parameters->'source_image_urls')))
                ELSE parameters END - 'negative_prompt'
$$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION generation_without_urls(parameters jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(parameters->'source_image_urls') = 'array'
                THEN jsonb_set(parameters, '{source_image_urls}', (
                    SELECT COALESCE(jsonb_agg(''::text), '[]'::jsonb)
                      FROM jsonb_array_elements(parameters->'source_image_urls')))
                ELSE parameters END
$$;
DROP FUNCTION catalog_row_is_whole(text, jsonb, jsonb);
"""


def fill(apps, schema_editor):
    CatalogModel = apps.get_model("generation", "CatalogModel")
    for row in CatalogModel.objects.filter(name__in=SHARES):
        row.abilities, row.times = ABILITIES, TIMES
        row.prices = {
            resolution: {sound: -(-row.price * share // 100) for sound, share in of.items()}
            for resolution, of in SHARES[row.name].items()
        }
        row.save(update_fields=["abilities", "times", "prices"])
    CatalogModel.objects.create(**OMNI)
    CatalogModel.objects.filter(kind="image", position=3).update(position=4)


def take_back(apps, schema_editor):
    CatalogModel = apps.get_model("generation", "CatalogModel")
    CatalogModel.objects.filter(name=OMNI["name"]).delete()
    CatalogModel.objects.filter(kind="image", position=4).update(position=3)


class Migration(migrations.Migration):
    dependencies = [("generation", "0004_pace_by_resolution")]
    operations = [
        migrations.AddField(
            "catalogmodel",
            "abilities",
            models.JSONField(
                blank=True,
                db_comment="of a video model, see generation/models/abilities.py",
                db_default={},
                default=dict,
            ),
        ),
        migrations.AddField(
            "catalogmodel",
            "prices",
            models.JSONField(
                blank=True,
                db_comment='credits for 8 s of all else that is sold: {"1080p": {"audio": 288}}',
                db_default={},
                default=dict,
            ),
        ),
        migrations.AddField(
            "catalogmodel",
            "times",
            models.JSONField(
                blank=True,
                db_comment=(
                    "estimated_time and expected_seconds of resolutions that differ from the row's"
                ),
                db_default={},
                default=dict,
            ),
        ),
        migrations.AddField(
            "catalogmodel",
            "backend",
            models.CharField(
                db_comment="who makes it", db_default="vertex", default="vertex", max_length=30
            ),
        ),
        migrations.AddField(
            "catalogmodel",
            "location",
            models.CharField(
                blank=True,
                db_comment="blank = the backend's own",
                db_default="",
                max_length=50,
            ),
        ),
        migrations.AddField(
            "catalogmodel",
            "provider_model_fallback",
            models.CharField(
                blank=True,
                db_comment="asked for when the provider does not know the first id",
                db_default="",
                max_length=100,
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(fill, take_back),
        migrations.AddConstraint(
            "catalogmodel",
            models.CheckConstraint(
                condition=models.Func(
                    models.F("kind"),
                    models.F("abilities"),
                    models.F("prices"),
                    function="catalog_row_is_whole",
                    output_field=models.BooleanField(),
                ),
                name="catalog_row_is_whole",
                violation_error_message="Whatever its abilities sell has to have a price",
            ),
        ),
    ]
