"""Where files are kept: outputs in a folder or a bucket, the pages' own beside the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def storages(kind: str, folder: Path, bucket: str) -> dict[str, dict[str, Any]]:
    """Django's ``STORAGES`` for an OUTPUT_STORAGE."""
    outputs: dict[str, Any] = {
        "BACKEND": "generation.outputs.storage.AtomicFileSystemStorage",
        "OPTIONS": {"location": str(folder)},
    }
    if kind == "gcs":
        outputs = {
            "BACKEND": "generation.outputs.bucket_storage.BucketStorage",
            "OPTIONS": {
                "bucket_name": bucket,
                "file_overwrite": True,  # the key is the generation's: once more is the same file
                "querystring_auth": True,
            },
        }
    return {
        "default": outputs,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
    }
