"""The raw TCP server that tests start ends with its block, however its connections ended."""

from __future__ import annotations

import asyncio

from tests.support.loopback import serving

MORE_THAN_A_SOCKET_TAKES = 8_000_000  # bytes, so that some are left when the handler ends


def test_a_connection_that_sent_its_last_bytes_while_closing_is_no_fault() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\n" * MORE_THAN_A_SOCKET_TAKES)

    async def main() -> int:
        async with serving(handle) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            received = len(await reader.read())
            writer.close()
            return received

    assert asyncio.run(main()) == MORE_THAN_A_SOCKET_TAKES
