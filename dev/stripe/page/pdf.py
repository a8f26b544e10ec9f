"""A PDF of one page of text, by hand: no library is worth it."""

from __future__ import annotations

FONTS = b"/Resources<</Font<</F1 4 0 R>>>>"
TOP, LEFT, LEADING, SIZE = 780, 60, 20, 12


def pdf_of(lines: list[str]) -> bytes:
    """The lines in Helvetica on A4; signs that its encoding lacks become question marks."""
    shown = b"".join(b"(%s) Tj T*\n" % _escaped(each) for each in lines)
    content = b"BT /F1 %d Tf %d TL %d %d Td\n%sET" % (SIZE, LEADING, LEFT, TOP, shown)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R%s>>" % FONTS,
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
    ]
    file, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj%s endobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % each for each in places)
    count = len(objects) + 1
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(file))
    return file + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (count, table, trailer)


def _escaped(line: str) -> bytes:
    encoded = line.encode("cp1252", "replace")
    for each in (b"\\", b"(", b")"):
        encoded = encoded.replace(each, b"\\" + each)
    return encoded
