"""Forms of names: what is one place under two names, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicecircle.name_forms import forms_of


def may_be_one(a: str, b: str) -> bool:
    one, other = forms_of(a), forms_of(b)
    return one.own == other.own or one.own in other.others or other.own in one.others


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("驿站", "驿站(总站)"),
        ("翠花驛站（總站）", "翠花驿站"),
        ("翠花驿站", "翠花驿站（总站）"),
        ("翠花驿站【本部】", "翠花驿站"),
        ("翠花驿站（东门）", "翠花驿站(东门)"),
        ("ＡＢＣ便利店", "abc 便利店"),
        ("翠花 · 驿站", "翠花-驿站"),
        ("XX街道YY驿站", "YY驿站"),
        ("南阳新村街道翠花驿站", "翠花驿站"),
        ("金水区南阳新村街道翠花社区驿站", "翠花社区驿站"),
        ("郑州市金水区翠花驿站", "翠花驿站"),
        ("河南省郑州市翠花驿站", "金水区翠花驿站"),
        ("中牟县青年路街道绿云社区党群服务中心驿站", "绿云社区党群服务中心驿站"),
        ("绿东村街道办事处工会驿站", "工会驿站"),
        ("翠花社区爱心驿站", "翠花社区驿站"),
        ("翠花社区户外劳动者爱心驿站", "翠花社区驿站"),
        ("粥铺一号店", "粥铺1号店"),
        ("粥铺(第十二店)", "粥铺（12号店）"),
        ("工会驿站(郑州银行中原路支行)", "郑州银行中原路支行工会驿站"),
        ("工会驿站(商城路220号)", "工会驿站"),
        ("新街口驿站总站", "新街口驿站"),
        ("驿站\n（总站）", "驿站"),
    ],
)
def test_names_that_may_be_one_place(a: str, b: str) -> None:
    assert may_be_one(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("粥铺一号店", "粥铺二号店"),
        ("粥铺(一号店)", "粥铺(二号店)"),
        ("粥铺(1)", "粥铺"),
        ("粥铺(一号店)", "粥铺"),
        ("驿站1号", "驿站2号"),
        ("驿站(A)", "驿站(B)"),
        ("驿站A座", "驿站B座"),
        ("翠花驿站(东门)", "翠花驿站(西门)"),
        ("翠花驿站(东门)", "翠花驿站"),
        ("工会驿站(商城路220号)", "工会驿站(商城路206号)"),
        ("南阳街道驿站", "北林街道驿站"),
        ("翠花社区驿站", "兴隆社区驿站"),
        ("翠花社区爱心驿站", "翠花社区工会驿站"),
        ("东街驿站", "西街驿站"),
        ("农贸市场驿站", "小商品市场驿站"),
        ("华联超市驿站", "永辉超市驿站"),
        ("金苑小区驿站", "银苑小区驿站"),
        ("粥铺", "面馆"),
        ("二七驿站", "三七驿站"),
    ],
)
def test_names_that_are_two_places(a: str, b: str) -> None:
    assert not may_be_one(a, b)


@given(st.text("驿站街道社区村市县区工会爱心一二12（）()总店 \n<>", max_size=30))
def test_any_name_has_an_own_form_that_is_none_of_the_others(name: str) -> None:
    forms = forms_of(name)
    assert forms.own not in forms.others
    assert "" not in forms.others
    assert len(forms.others) <= 24
    assert forms == forms_of(f" {name}\u3000")


@given(st.text(max_size=200))
def test_no_text_breaks_it(name: str) -> None:
    assert may_be_one(name, name)


@pytest.mark.parametrize(
    "name", ["(" * 5000, "第" * 5000, "街道" * 5000, "市" * 9999, "一" * 5000 + "号店", "[](){}" * 999]
)
def test_a_hostile_name_takes_no_time(name: str) -> None:
    assert len(forms_of(name).own) <= 200
