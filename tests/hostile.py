"""Names that would do something if a page, a template or a document took them for more than text."""

from __future__ import annotations

import itertools
import random

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "${alert(1)}",
    "`${alert(1)}`",
    "{{ 7 * 7 }}{% for x in y %}{# z #}",
    "back\\slash\\u0041\\",
    "line\u2028and\u2029paragraph",
    "]]>&amp;&lt;'\"",
    "javascript:alert(1)",
    "{name}{minutes}{n}",
    "__proto__",
    "$& $1 $`",
]

#: what random names are made of: each piece ends something in HTML, JavaScript, a template or a regular expression
PIECES = [
    *("${", "}", "`", "\\", "\\1", "\\g<0>", "\\x3c", "\\u2028", "\u2028", "\u2029", "\u202e", "\u200f", "\u2066"),
    *(
        "</script>",
        "<script>window.ran=1</script>",
        '"><img src=x onerror="window.ran=1">',
        "<svg onload=window.ran=1>",
    ),
    *("javascript:window.ran=1", "${window.ran=1}", "{{7*7}}", "{%", "{#", "{n}", "{name}", "<!--", "-->", "]]>"),
    *(
        "&lt;",
        "&#39;",
        "%00",
        "'",
        '"',
        "=1+1",
        "驿站",
        "粥铺",
        "ab",
        "7",
        "🛵",
        "$&",
        "$`",
        "\n",
        "\t",
        "__proto__",
    ),
]


def random_names(rng: random.Random, n: int) -> list[str]:
    """Names that no two share, of which none is blank at an end."""
    made = ("".join(rng.choice(PIECES) for _ in range(rng.randint(1, 6))) for _ in itertools.count())
    return [f"a{k}{name}z" for k, name in zip(range(n), made, strict=False)]
