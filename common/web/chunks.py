"""Finds the end of a chunked body (RFC 9112, section 7.1) while it arrives."""

from __future__ import annotations

from gunicorn.http.errors import InvalidChunkSize, LimitRequestHeaders

# Bytes that are no content: sizes, line ends, extensions, trailers. A body of single bytes would
# cost as many turns as bytes; what clients really send has chunks of kilobytes.
FRAMING = 64 * 1024
LINE = 8 * 1024  # gunicorn's own limit of one of these lines
LINE_END = 2
TRAILERS = 100  # as many as gunicorn takes headers


class ChunkScanner:
    """Is fed with what arrives. gunicorn reads and judges the body afterwards, not this class.

    ``length`` is how much content was announced so far, ``ended`` whether nothing more belongs to
    the body. What cannot be understood ends it, too: gunicorn then says what is wrong with it.
    """

    def __init__(self, framing: int = FRAMING) -> None:
        """``framing`` is how many bytes may be no content."""
        self.length = 0
        self.ended = False
        self._framing_left = framing
        self._left = 0  # of the chunk and the line end after it
        self._line = b""
        self._in_trailers = False
        self._trailers = 0

    def feed(self, data: bytes) -> None:
        """Go on with the next bytes.

        Raises InvalidChunkSize when most of the body is framing, LimitRequestHeaders for too many
        trailers.
        """
        position = 0
        while position < len(data) and not self.ended:
            if self._left:
                step = min(self._left, len(data) - position)
                self._left -= step
                position += step
                continue
            end = data.find(b"\n", position) + 1
            self._line += data[position : end or len(data)]
            self._framing_left -= (end or len(data)) - position
            position = end or len(data)
            if self._framing_left < 0 or len(self._line) > LINE:
                raise InvalidChunkSize(b"too much framing")
            if end:
                self._end_of_line(self._line)
                self._line = b""

    def _end_of_line(self, line: bytes) -> None:
        if self._in_trailers:
            self.ended = line == b"\r\n"
            self._trailers += 1
            if self._trailers > TRAILERS:
                raise LimitRequestHeaders("limit request trailers")
            return
        try:
            size = int(line.partition(b";")[0].strip()[:20], 16)
        except ValueError:
            size = -1
        if size < 0:
            self.ended = True
        elif size == 0:
            self._in_trailers = True
        else:
            self.length += size
            self._left = size + LINE_END
