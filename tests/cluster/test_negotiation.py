"""SignalR clients need no sticky sessions: any node takes up what another negotiated."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from hyperlambda.client import SocketClient
from hyperlambda.server import issue_token
from hyperlambda.sockets import Message

from ..commands.process import SECRET
from .cluster import Cluster, until
from .redis_server import TIMEOUT


def negotiate(cluster: Cluster, node: int, token: str) -> dict[str, Any]:
    url = cluster.urls[node].replace("ws", "http", 1).removesuffix("/ws")
    request = Request(
        f"{url}/sockets/negotiate?negotiateVersion=1",
        method="POST",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urlopen(request, timeout=TIMEOUT) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def socket_url(cluster: Cluster, node: int, id: str) -> str:
    return f"{cluster.urls[node].removesuffix('/ws')}/sockets?id={id}"


def test_what_one_node_negotiated_opens_on_another_once(three: Cluster) -> None:
    token = issue_token(SECRET, "sig", ["root"])
    answer = negotiate(three, 0, token)
    headers = {"Authorization": f"Bearer {token}"}
    url = socket_url(three, 1, answer["connectionToken"])
    with connect(url, additional_headers=headers, proxy=None) as socket:
        socket.send('{"protocol":"json","version":1}\x1e')
        assert socket.recv(timeout=TIMEOUT) == "{}\x1e"
        with SocketClient(three.urls[2], token=token, timeout=TIMEOUT) as other:
            until(lambda: other.count_users("sig") == 1)
            ids = other.users("sig")[0].connections
            assert answer["connectionId"] in ids
            other.publish(Message("foo", '{"a":1}'))
            record = json.loads(str(socket.recv(timeout=TIMEOUT)).rstrip("\x1e"))
        assert (record["target"], record["arguments"]) == ("foo", ['{"a":1}'])
        # The token was used: neither a third node nor the first opens it again.
        for node in (2, 0):
            again = socket_url(three, node, answer["connectionToken"])
            with (
                pytest.raises(InvalidStatus) as refused,
                connect(again, additional_headers=headers, proxy=None),
            ):
                pass
            assert refused.value.response.status_code == 404
