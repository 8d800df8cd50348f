"""What ``/metrics`` tells about a cluster (docs/scaling.md, "Watching a cluster")."""

from __future__ import annotations

from collections.abc import Sequence

from .backplane import Figure
from .outbox import Outbox

__all__ = ["cluster_figures"]


def cluster_figures(
    *,
    is_connected: bool,
    nodes: int,
    users: int,
    memberships: int,
    outbox: Outbox,
    received: int,
    gaps: int,
) -> Sequence[Figure]:
    """
    Return the figures of one node.

    Args:
        is_connected: Whether Redis answers it.
        nodes: How many it knows of, itself included.
        users: How many are connected anywhere.
        memberships: How many memberships of groups last.
        outbox: What it tells the others.
        received: How many items of others came.
        gaps: How often its connection to Redis was lost.
    """
    return tuple(
        Figure(f"cluster_{name}", kind, help, value)
        for name, kind, help, value in (
            ("connected", "gauge", "Whether Redis answers.", int(is_connected)),
            ("nodes", "gauge", "Nodes, this one too.", nodes),
            ("users", "gauge", "Users anywhere.", users),
            ("memberships", "gauge", "Memberships of groups that last.", memberships),
            ("waiting", "gauge", "Items not sent yet.", len(outbox)),
            ("sent_total", "counter", "Items sent.", outbox.sent),
            ("received_total", "counter", "Items of other nodes.", received),
            (
                "lost_total",
                "counter",
                "Items that others did not get, because too many waited.",
                outbox.lost,
            ),
            ("gaps_total", "counter", "Lost connections.", gaps),
        )
    )
