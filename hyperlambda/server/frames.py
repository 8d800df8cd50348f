"""
Server-to-client WebSocket frames as bytes (RFC 6455 §5.2).

What a server sends is not masked, so one `bytes` object serves every receiver.
"""

from __future__ import annotations

from struct import pack

__all__ = ["PING", "join_text_frames", "text_frame"]

PING = b"\x89\x00"
"""A ping without payload; the client's WebSocket library answers it by itself."""


def text_frame(payload: bytes) -> bytes:
    """Return one unfragmented text frame; the payload is UTF-8."""
    length = len(payload)
    if length < 126:
        return pack("!BB", 0x81, length) + payload
    if length < 65_536:
        return pack("!BBH", 0x81, 126, length) + payload
    return pack("!BBQ", 0x81, 127, length) + payload


# Where the payload begins, by the second byte: its length, or how that is written.
_START = [2] * 126 + [4, 10]


def join_text_frames(frames: list[bytes]) -> bytes:
    """Return one text frame with the payloads of several that `text_frame` made."""
    return text_frame(b"".join([frame[_START[frame[1]] :] for frame in frames]))
