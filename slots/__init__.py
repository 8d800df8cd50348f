"""The standard slots: one module a family, all of them loaded by the first evaluator."""

FAMILIES = (
    "branching",
    "comparison",
    "dynamic",
    "evaluation",
    "exceptions",
    "hyper",
    "json",
    "logic",
    "logs",
    "loops",
    "nodes",
    "numbers",
    "reading",
    "returning",
    "sockets",
    "strings",
    "threading",
    "types",
)
