"""What no client should send, for every transport."""

# Runs until its deadline or its memory is used up.
RUNAWAY = "let rec grow = fun n => grow (n + 1) in { servers = grow 0 }"
CALL = '{"jsonrpc":"2.0","id":"%s","method":"tools/call","params":{"name":"get_schema","arguments":%s}}\n'

# A line, the id that an answer to it can carry, and the JSON-RPC error code.
NO_MESSAGES: list[tuple[bytes, str | None, int]] = [
    (b"garbage\n", None, -32700),
    (b"\x00\x00\x00\n", None, -32700),
    (b'{"jsonrpc":"2.0","id":"nul","method":"ping\x00"}\n', "nul", -32700),
    (b'{"jsonrpc":"2.0","id":"utf8","method":"ping\xff\xfe"}\n', "utf8", -32700),
    (b"[" * 200_000 + b"\n", None, -32700),
    ((CALL % ("deep", '{"a":' * 5_000 + "1" + "}" * 5_000)).encode(), "deep", -32700),
    ((CALL % ("half", '{"name":"\\ud800"}')).encode(), "half", -32700),
    (b"[]\n", None, -32600),
    (b'{"jsonrpc":"1.0","id":"old","method":"ping"}\n', "old", -32600),
    (b'{"jsonrpc":"2.0","id":"list","method":"tools/list","params":7}\n', "list", -32600),
]
