"""The one image in a form: it goes into a file without a name, and the other fields are kept.

The body is read only when the sender is known. An image that is too large is read and dropped, so
that nothing that was typed beside it is lost.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from accounts.caller import Caller
from common.errors import InvalidRequest
from generation.inputs import uploads
from generation.inputs.image_limits import MAX_BYTES
from generation.inputs.upload_body import NoImageSent, UploadTooLarge, spool
from generation.models import Upload

FIELD = "image"
MOST = 3 * MAX_BYTES  # bytes of a form that are read at all


class OneImage(FileUploadHandler):
    """Django's parser writes the file of the field ``image`` here. Use it as a context manager."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.file = spool()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        """Django's hook. Other files, and a second image, are read and dropped."""
        if field_name != FIELD or self.size:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.size = start + len(raw_data)
        if self.size <= MAX_BYTES:
            self.file.write(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Django's hook. It returns None: nobody needs a file object."""

    def kept(self, caller: Caller) -> Upload:
        """Keep the image as an upload of the account. Raises what an upload raises."""
        if not self.size:
            raise NoImageSent(_("Choose a file first"))
        if self.size > MAX_BYTES:
            raise UploadTooLarge
        self.file.flush()
        return uploads.take(caller, self.file, self.size)


def read(request: HttpRequest, image: OneImage) -> QueryDict:
    """Read the body; return the typed fields. Raises UploadTooLarge and InvalidRequest."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST:
        raise UploadTooLarge
    request.upload_handlers = [image]
    try:
        return request.POST
    except (MultiPartParserError, SuspiciousOperation, TypeError, UnreadablePostError) as error:
        # TypeError: Python's parser raises it for parameters of a part's headers like x*=a; x*0=b
        raise InvalidRequest(_("The form did not arrive whole, send it again")) from error
