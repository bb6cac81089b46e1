"""Wrong command lines, told in Chinese with the English behind; and the language where no study says one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import IO, Any, NoReturn

import typer
from typer.core import TyperGroup

from .errors import InputError, Lang, visible

#: language of messages where no study says one: zh (default) or en
LANG_SETTING = "SERVICECIRCLE_LANG"
#: what the framework says of a wrong command line, and the same in Chinese; the first that fits is taken
_SAID: Mapping[str, str] = MappingProxyType(
    {
        r"No such command '(.+)'\. Did you mean (.+)\?": "没有“{0}”这个命令，是否为 {1}？",
        r"No such command '(.+)'\.": "没有“{0}”这个命令，servicecircle -h 列出全部命令。",
        r"No such option: (\S+) \(Possible options: (.+)\)": "没有选项 {0}，相近的有 {1}。",
        r"No such option: (\S+)": "没有选项 {0}。",
        r"Missing argument 'STUDY'\.": "缺少参数 STUDY：研究文件夹，或其中的 study.toml。",
        r"Missing argument '(.+?)'\.": "缺少参数 {0}。",
        r"Missing option '(.+?)'\.": "缺少选项 {0}。",
        r"Missing command\.": "缺少命令，servicecircle -h 列出全部命令。",
        r"Got unexpected extra arguments?(?:\(s\))? \((.+)\)": "多出了参数：{0}。含空格的路径须加引号。",
        r"Option '(.+?)' requires an argument\.": "选项 {0} 后面缺少值。",
        r"Option '(.+?)' does not take a value\.": "选项 {0} 不带值。",
        r"Invalid value for '(.+?)': .*greater than or equal to (\S+)": "选项 {0} 的值应不小于 {1}。",
        r"Invalid value for '(.+?)': .*less than or equal to (\S+)": "选项 {0} 的值应不大于 {1}。",
        r"Invalid value for '(.+?)': .*valid integer.*": "选项 {0} 的值应为整数。",
        r"Invalid value for '(.+?)': .*valid number.*": "选项 {0} 的值应为数字。",
        r"Invalid value for '(.+?)': .*": "选项 {0} 的值无效。",
    }
)


#: a wrong command line of any kind, which the framework does not export
_UsageError: Any = typer.BadParameter.__mro__[1]


class Refusal(typer.BadParameter):
    """A value of an option that is refused here, told in both languages."""

    def __init__(self, option: str, en: str, zh: str) -> None:
        super().__init__(en, param_hint=option)
        self.zh = f"{option} {zh}"


class UsageGroup(TyperGroup):
    """Commands that tell a wrong command line in Chinese too, unless English is asked for; exit status 2."""

    def make_context(self, *arguments: Any, **extra: Any) -> Any:  # noqa: ANN401
        """Read the options before the command."""
        with _told_in_chinese():
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Read the command with its options, and run it."""
        with _told_in_chinese():
            return super().invoke(ctx)


def usual_lang() -> Lang:
    """Return the language where no study says one."""
    return "en" if os.environ.get(LANG_SETTING, "").lower().startswith("en") else "zh"


#: rules that a planner may give on the command line: key of `[suggest]` -> option
RULE_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "objective": "--objective",
        "budget": "--budget",
        "capacity": "--capacity",
        "backup": "--backup",
        "fair": "--fair",
        "min_spacing_m": "--spacing",
        "move": "--move",
        "keep": "--keep",
        "robust": "--robust",
        "alternatives": "--alternatives",
        "curve": "--curve",
        "time_limit_s": "--time-limit",
    }
)
#: keys that are also values in Chinese sentences: `objective 为 fair`
_NO_KEY = r"(?<![\w`-])(?<!为 )"


def in_options(error: InputError, given: Collection[str]) -> InputError:
    """Return an error whose rules that came from the command line are named as they were given there."""
    en, zh = error.en, error.zh
    is_ours = any(f"`{key}`" in en for key in given)
    for key, option in RULE_OPTIONS.items():
        if key in given or is_ours:  # what it says to add is added there too
            en = en.replace(f"`{key}`", f"`{option}`")
            zh = re.sub(rf"{_NO_KEY}{key}(?!\w)", option, zh)
    return InputError(en, zh=zh)


def refuse(option: str, en: str, zh: str) -> NoReturn:
    """
    Refuse a wrong command line.

    Raises
    ------
    Refusal
        Always.
    """
    raise Refusal(option, visible(en), visible(zh))


def in_chinese(error: Any) -> str:  # noqa: ANN401 - the framework has no public name for it
    """Return what is wrong with a command line in Chinese, with the English behind; the latter alone if unknown."""
    en = visible(error.format_message())
    if isinstance(error, Refusal):
        return f"{error.zh}（{en}）"
    for said, zh in _SAID.items():
        if found := re.fullmatch(said, en, re.DOTALL):
            parts = (part.replace("'", "").replace(", ", "、") for part in found.groups())
            return f"{zh.format(*parts)}（{en}）"
    return en


@contextmanager
def _told_in_chinese() -> Iterator[None]:
    """Let a usage error show itself in Chinese; the help that stands for one stays as it is."""
    try:
        yield
    except _UsageError as error:
        is_help = type(error).__name__ == "NoArgsIsHelpError"
        if not is_help and usual_lang() == "zh":
            vars(error)["show"] = partial(_show, error)
        raise


def _show(error: Any, file: IO[Any] | None = None) -> None:  # noqa: ANN401
    """Print how the command is used, and what is wrong."""
    stream = file or sys.stderr
    if error.ctx is not None:
        usage = error.ctx.get_usage().removeprefix("Usage: ")
        stream.write(f"用法：{usage}\n说明：{error.ctx.command_path} -h\n\n")
    stream.write(f"命令有误：{in_chinese(error)}\n")
    stream.flush()
