"""Print one of the README's two commands, `demo` or `test`, and fail if the two READMEs do not agree on it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def readme_command(name: str, readme: str = "README.md") -> str:
    """Return the single line of the shell block that the README marks with `<!-- name -->`."""
    text = (REPOSITORY / readme).read_text(encoding="utf-8")
    found = re.findall(rf"<!-- {name} -->\n```(?:bash|sh)\n(.+)\n```", text)
    if len(found) != 1:
        msg = f"{readme} must hold one single-line command marked <!-- {name} -->, found {len(found)}."
        raise SystemExit(msg)
    return str(found[0])


if __name__ == "__main__":
    wanted = sys.argv[1]
    english, chinese = readme_command(wanted), readme_command(wanted, "README.zh.md")
    if english != chinese:
        raise SystemExit(f"README.md and README.zh.md disagree on `{wanted}`.")  # noqa: EM102
    sys.stdout.write(english + "\n")
