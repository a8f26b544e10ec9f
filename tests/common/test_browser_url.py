"""What goes over the wire is what a browser sends; loopback servers compare the raw bytes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from common.api.content_coding import is_compressed
from common.browser_url import browser_url
from common.fetchable import check_url
from common.safe_fetch import FetchError, FetchFailed, FetchRefused, fetch
from generation.backends.google import http
from tests.support.loopback import Names, answering, ok, recording, serving

# As Chromium, Firefox and Node's URL write them: https://url.spec.whatwg.org/#percent-encoded-bytes
TARGETS = {
    "/plain.jpg": "/plain.jpg",
    "/ü.jpg?sig=a%2Fb%3D&e=1%3A2": "/%C3%BC.jpg?sig=a%2Fb%3D&e=1%3A2",
    "/%28b%29%7e.jpg": "/%28b%29%7e.jpg",
    "/%28b%29/ü": "/%28b%29/%C3%BC",
    "/%c3%bc%C3%BC": "/%c3%bc%C3%BC",
    "/a%zz%": "/a%zz%",
    "/(b)!$&'*+,;=:@|~": "/(b)!$&'*+,;=:@|~",
    '/"<>`{}^': "/%22%3C%3E%60%7B%7D%5E",
    "/日本.png?名=値": "/%E6%97%A5%E6%9C%AC.png?%E5%90%8D=%E5%80%A4",
    "/😀": "/%F0%9F%98%80",
    "/a+b?c+d=%2B": "/a+b?c+d=%2B",
    "/x?a=`|^{}'\"<>": "/x?a=`|^{}%27%22%3C%3E",
    "/x?url=https://other.example/y?z": "/x?url=https://other.example/y?z",
    "/x?": "/x?",
    "/x??a&&b=&=c": "/x??a&&b=&=c",
    "/x?a=1;b=2&a=3": "/x?a=1;b=2&a=3",
    "/x#part": "/x",
    "/x?a=b#part?c": "/x?a=b",
    "/ü#ü": "/%C3%BC",
    "": "/",
    "?a=b": "/?a=b",
    "#part": "/",
    "/a/../b/./c": "/b/c",
    "/a/%2e%2E/b": "/b",
    "/a//b": "/a//b",
    "/a\\b": "/a/b",
    "/%5C%2F": "/%5C%2F",
}
# From http://HOST/dir/page?x=1
LOCATIONS = {
    b"/img/my photo.jpg": "/img/my%20photo.jpg",
    b"/img/my%20photo.jpg": "/img/my%20photo.jpg",
    b"photo.jpg": "/dir/photo.jpg",
    b"../photo.jpg": "/photo.jpg",
    b"?sig=a%2Fb%3D&e=1%3A2": "/dir/page?sig=a%2Fb%3D&e=1%3A2",
    b"?": "/dir/page?",
    "/ü.jpg?sig=a%2Fb".encode(): "/%C3%BC.jpg?sig=a%2Fb",
    "ü.jpg".encode("latin-1"): "/dir/%FC.jpg",
    b"/%28b%29?q=%7e": "/%28b%29?q=%7e",
    b"\\img\\a b.jpg": "/img/a%20b.jpg",
    b"/a|b^c": "/a|b%5Ec",
    b"/a#part": "/a",
    b"  /a  ": "/a",
    b"http:rel.jpg": "/dir/rel.jpg",
    b"//HOST/other": "/other",
    b"http://HOST/other?a b": "/other?a%20b",
    b"HTTP://HOST": "/",
    b"///HOST/other": "/other",
    b"http:\\\\HOST\\other": "/other",
}


def ask(first: str, location: bytes | None = None) -> list[str]:
    """The raw request targets that a loopback server saw."""
    seen: list[str] = []

    async def main() -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0]
            seen.append(line.decode("ascii").removeprefix("GET ").removesuffix(" HTTP/1.1"))
            if location is None or len(seen) > 1:
                writer.write(ok(b"there"))
            else:
                target = location.replace(b"HOST", f"127.0.0.1:{port}".encode())
                writer.write(b"HTTP/1.1 302 Go\r\nLocation: " + target + b"\r\n")
                writer.write(b"Content-Length: 0\r\n\r\n")

        async with serving(handle) as port:
            origin = f"http://127.0.0.1:{port}"
            await fetch(
                origin + first, max_bytes=9, total_timeout=5, allowed_origins=frozenset({origin})
            )

    asyncio.run(main())
    return seen


@pytest.mark.parametrize(("written", "target"), TARGETS.items(), ids=ascii)
def test_the_request_target_is_a_browsers(written, target):
    assert ask(written) == [target]


@pytest.mark.parametrize(("location", "target"), LOCATIONS.items(), ids=ascii)
def test_a_redirect_is_followed_as_a_browser_follows_it(location, target):
    assert ask("/dir/page?x=1", location) == ["/dir/page?x=1", target]


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://BÜCHER.example/", "xn--bcher-kva.example"),
        ("https://faß.example/", "xn--fa-hia.example"),
        ("https://例え.テスト/", "xn--r8jz45g.xn--zckzah"),
        ("https://例え。テスト/", "xn--r8jz45g.xn--zckzah"),
        ("https://مثال.إختبار/", "xn--mgbh0fb.xn--kgbechtv"),
        ("https://☃.example/", "xn--n3h.example"),
        ("https://EXAMPLE.com/", "example.com"),
        ("https://a_b.example./", "a_b.example."),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
    ],
)
def test_names_in_other_scripts_are_asked_for_in_ascii(written, host):
    assert check_url(written) is None
    names = Names({})
    with pytest.raises(FetchError):
        asyncio.run(fetch(written, max_bytes=1, total_timeout=5, resolver=names))
    assert names.asked == [host]


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/", "//10.0.0.1/x", "\\\\10.0.0.1\\x", "///10.0.0.1/", "https:/10.0.0.1/",
        "http://①⓪.⓪.⓪.①/", "http://0xa.1/", "http://167772161/", "http://012.0.0.1/",
        "http://10.0.0.1./", "http://%31%30.0.0.1/", "http://1\t0.0.0.1/", "http://[::ffff:a00:1]/",
        "http://user@93.184.216.34/", "http://93.184.216.34:8080/", "ftp://93.184.216.34/",
        "data:image/png;base64,AAAA", "file:///etc/passwd", "javascript:1", "http://", "http://[::1",
        "http://a..b/", "http://127.0.0.1:1/",
    ],
)  # fmt: skip
def test_no_spelling_of_a_redirect_leads_to_a_forbidden_address(location):
    async def main() -> None:
        head = b"HTTP/1.1 302 Go\r\nLocation: " + location.encode() + b"\r\n"
        async with serving(answering(head + b"Content-Length: 0\r\n\r\n")) as port:
            origin = f"http://127.0.0.1:{port}"
            with recording() as connects, pytest.raises((FetchRefused, FetchFailed)):
                await fetch(
                    origin, max_bytes=9, total_timeout=5, allowed_origins=frozenset({origin})
                )
            assert connects == [("127.0.0.1", port)]

    asyncio.run(main())


@pytest.mark.parametrize(
    "text", ["", "x", "mailto:a@b", "http://", "http://a b/", "\udcff", "http://[x"]
)
def test_what_is_no_url_is_a_value_error(text):
    with pytest.raises(ValueError):
        browser_url(text)


PLAIN = [
    "", "identity", "IDENTITY", "aws-chunked", "none", "binary", "utf-8", "8bit", "raw", "jpeg",
    "identity, identity", ",", "aws-chunked,", "null", "UTF-8; q=1", "off", "false",
]  # fmt: skip
COMPRESSED = [
    "gzip", "GZIP", "x-gzip", "br", "deflate", "zstd", "compress", "x-compress", "dcb", "dcz",
    "identity, gzip", "aws-chunked,gzip", "gzip , aws-chunked", "none,br",
]  # fmt: skip


def fetched(*codings: str) -> bytes:
    async def main() -> bytes:
        headers = [f"Content-Encoding: {coding}" for coding in codings]
        async with serving(answering(ok(b"picture", *headers))) as port:
            origin = f"http://127.0.0.1:{port}"
            limits: dict[str, Any] = {"max_bytes": 9, "total_timeout": 5}
            return (await fetch(origin, allowed_origins=frozenset({origin}), **limits)).data

    return asyncio.run(main())


def asked_by_the_backend(*codings: str) -> bytes:
    async def main() -> bytes:
        headers = [f"Content-Encoding: {coding}" for coding in codings]
        async with (
            serving(answering(ok(b"picture", *headers))) as port,
            http.open_client(1) as client,
        ):
            return (await client.get(f"http://127.0.0.1:{port}/")).content

    return asyncio.run(main())


@pytest.mark.parametrize("coding", PLAIN)
def test_a_coding_that_compresses_nothing_changes_nothing(coding):
    assert fetched(coding) == b"picture"
    assert asked_by_the_backend(coding) == b"picture"
    assert fetched(coding, "aws-chunked") == b"picture"


@pytest.mark.parametrize("coding", COMPRESSED)
def test_a_coding_that_compresses_is_refused(coding):
    for codings in ((coding,), ("identity", coding)):
        with pytest.raises(FetchFailed) as caught:
            fetched(*codings)
        assert caught.value.reason == "encoding"
        with pytest.raises(httpx.DecodingError):
            asked_by_the_backend(*codings)


def test_the_fetcher_and_the_backend_mean_the_same_codings():
    for coding in (*PLAIN, *COMPRESSED, *http.COMPRESSING):
        assert is_compressed([coding]) == http.is_compressed(coding)
