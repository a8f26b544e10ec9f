"""The OpenAPI page's words about generations."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema

create_video = extend_schema(operation_id="create_video", summary="Make a video")
create_image = extend_schema(operation_id="create_image", summary="Make an image")
status = extend_schema(operation_id="get_generation", summary="Status")
download = extend_schema(operation_id="download_output", summary="Download")
cancel = extend_schema(operation_id="cancel_generation", summary="Cancel")
history = extend_schema(operation_id="list_generations", summary="History")
models = extend_schema(operation_id="list_models", summary="Models")
