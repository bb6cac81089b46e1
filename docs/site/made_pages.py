"""What the build adds to the pages: trees of both languages, the reference of every public name, the gallery."""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache, partial
from gettext import translation
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MADE = HERE / "_made"
#: indexes of the two languages
INDEXES = ("docs/README", "docs/README.zh")
TOWNS = ("nanqu", "daning", "jianning", "jinyu", "shuiposi")
WIDTH = 1600
#: words of the theme that its Chinese catalogue lacks
OWN_WORDS = {
    "System Settings": "跟随系统",
    "Color mode": "配色",
    "Collapse Sidebar": "收起侧栏",
    "Expand Sidebar": "展开侧栏",
    "Breadcrumb": "当前位置",
}


def make(app: Sphinx) -> None:
    """Write the pages that are made: the reference, the gallery with its pictures."""
    del app
    shutil.rmtree(MADE, ignore_errors=True)
    MADE.mkdir()
    for name, text in reference_pages():
        (MADE / f"{name}.rst").write_text(text, encoding="utf-8")
    (MADE / "gallery.rst").write_text(gallery_page(), encoding="utf-8")


# ------------------------------------------------------------------------------------------------------- both trees
def groups_of(text: str) -> dict[str, list[str]]:
    """Return the pages of `docs` that an index names, by the table that names them; "" is before all tables."""
    head = re.compile(r"^\| ([^|\n]+?) \| \|\n\| --- \| --- \|$", re.MULTILINE)
    first, *rest = head.split(text)
    groups, seen = {}, {"README.md", "README.zh.md"}
    for name, below in zip(["", *rest[::2]], [first, *rest[1::2]], strict=True):
        found = dict.fromkeys(re.findall(r"\]\((?!\.\.)([\w./-]+?\.md)\)", below))
        groups[name] = [page for page in found if page not in seen]
        seen.update(found)
    return {name: pages for name, pages in groups.items() if pages}


def add_toctree(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give an index hidden trees of the pages that it names, a group each: a plain host shows the page as it is."""
    del app
    if docname in INDEXES:
        for name, pages in groups_of(source[0]).items():
            caption = f":caption: {name[0].upper()}{name[1:]}\n" if name else ""
            tree = "\n".join(page.removesuffix(".md") for page in pages)
            source[0] += f"\n\n```{{toctree}}\n:hidden:\n{caption}\n{tree}\n```\n"
    # a plain host shows the folder; a site has a page of it
    to_root = "../" * docname.count("/")
    source[0] = source[0].replace("](../notebooks)", f"]({to_root}docs/site/notebooks.rst)")


def tell_language(app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Give a page its language, and the address of its twin if there is one."""
    del template, doctree
    chinese = docname.endswith(".zh")
    twin = docname.removesuffix(".zh") if chinese else f"{docname}.zh"
    context["language"] = "zh-CN" if chinese else "en"
    if chinese:
        context["gettext"] = chinese_words()  # `_` and `trans` of the templates ask for it by this name
    if twin in app.env.found_docs:
        context["twin"], context["twin_name"] = twin, "English" if chinese else "中文"


@cache
def chinese_words() -> Callable[[str], str]:
    """Return what says a word of the theme in Chinese: its own catalogue's, else that of Sphinx, else ours."""
    import pydata_sphinx_theme
    import sphinx.locale

    folders = {"zh": pydata_sphinx_theme, "zh_CN": sphinx.locale}
    places = [(Path(str(module.__file__)).parent, lang) for lang, module in folders.items()]
    first, second = (
        translation("sphinx", folder if lang == "zh_CN" else folder / "locale", [lang]) for folder, lang in places
    )

    def said(text: str) -> str:
        word = first.gettext(text)
        word = second.gettext(text) if word == text else word
        return OWN_WORDS.get(text, word)

    return said


def write_front_door(app: Sphinx, error: Exception | None) -> None:
    """Write the page that a folder opens with: it leads to the first page."""
    if error is None and app.builder.format == "html":
        first = f"{app.config.root_doc}.html"
        Path(app.outdir, "index.html").write_text(
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={first}">'
            f'<title>servicecircle</title><a href="{first}">servicecircle</a>\n',
            encoding="utf-8",
        )


# ---------------------------------------------------------------------------------------------------- the reference
def sections() -> Iterator[tuple[str, list[str]]]:
    """Yield the headings of the page of Python with the public names below each."""
    text = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    for head, below in zip(parts[1::2], parts[2::2], strict=True):
        names = re.findall(r"^\| `(?:sc\.)?((?:locate\.)?\w+)", below, re.MULTILINE)
        if names:
            yield head, names


def reference_pages() -> Iterator[tuple[str, str]]:
    """Yield name and text of each page of the reference, its index last."""
    tree = []
    for head, names in sections():
        page = "api-" + re.sub(r"\W+", "-", head.lower()).strip("-")
        tree.append(page)
        yield page, "\n\n".join([title(head), *map(directive, dict.fromkeys(names))]) + "\n"
    text = "Every public name, with units, shapes, CRS and errors. A table of all names on one page: "
    listed = "\n   ".join(tree)
    yield (
        "api",
        f"{title('Python reference')}\n\n{text}:doc:`/docs/reference/python`.\n\n"
        f".. toctree::\n   :maxdepth: 2\n\n   {listed}\n",
    )


def title(text: str) -> str:
    """Return a heading of the first level."""
    return f"{text}\n{'=' * (2 * len(text))}"


def directive(name: str) -> str:
    """Return what makes Sphinx read the docstring of a public name."""
    import servicecircle

    thing: Any = servicecircle
    for part in name.split("."):
        thing = getattr(thing, part)
    kind = "function" if inspect.isroutine(thing) else "class" if inspect.isclass(thing) else "data"
    whose = "exception" if inspect.isclass(thing) and issubclass(thing, Exception) else kind
    members = "\n   :members:" if whose == "class" else ""
    return f".. auto{whose}:: servicecircle.{name}{members}"


# ------------------------------------------------------------------------------------------------------ the gallery
def gallery_page() -> str:
    """Return the page of pictures, and draw them: the towns' maps, the other figures of one of them."""
    parts = [
        title("Gallery 图集"),
        "Drawn by this build from the example studies. 本页图片由构建时从示例研究现画。",
    ]
    for call, name, heading, draw in figures():
        light(draw(MADE / f"{name}.png"))
        parts += [
            f"{heading}\n{'-' * 2 * len(heading)}",
            f'.. code-block:: python\n\n   plan = {call[0]}\n   sc.{call[1]}(plan, "{name}.png")',
            f".. image:: {name}.png\n   :alt: {heading}\n   :width: 100%",
        ]
    return "\n\n".join(parts) + "\n"


def figures() -> Iterator[tuple[tuple[str, str], str, str, Callable[[Path], Path]]]:
    """Yield the code of each figure, its name and heading, and what draws it."""
    import servicecircle as sc

    for town in TOWNS:
        plan = sc.suggest(sc.load_study(ROOT / "data" / town))
        code = f'sc.suggest(sc.load_study("data/{town}"))'
        yield (code, "draw_figure"), town, plan.study.name, partial(sc.draw_figure, plan)
        if town == TOWNS[0]:
            yield (code, "draw_week"), f"{town}-week", "Riders by hour 各时段覆盖", partial(sc.draw_week, plan)
            yield (code, "draw_zones"), f"{town}-zones", "Riders by zone 各社区覆盖", partial(sc.draw_zones, plan)
            plan = sc.suggest(plan.study, rules=sc.SitingRules(curve=8))
            code = f"{code[:-1]}, rules=sc.SitingRules(curve=8))"
            head = "Riders by number of sites 覆盖人数与点位数"
            yield (code, "draw_curve"), f"{town}-curve", head, partial(sc.draw_curve, plan)


def light(file: Path) -> None:
    """Make a picture fit for a page: narrower, in few colours."""
    from PIL import Image

    with Image.open(file) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((WIDTH, WIDTH * 2), Image.Resampling.LANCZOS)
    picture.quantize(256).save(file, optimize=True)
