"""Before the first visitor: every kind of question is asked about the study, and none of them is refused."""

from __future__ import annotations

import gc

import pytest
from fastapi import FastAPI

import servicecircle as sc
from api.main import create_app
from api.settings import Settings
from api.warm_up import questions, warmed_up


@pytest.fixture
def app(tiny: sc.Study) -> FastAPI:
    return create_app(Settings(), study=tiny)


def test_each_question_is_one_that_the_server_answers(app: FastAPI) -> None:
    asked = questions(app)
    assert len(asked) == 4
    for ask in asked:
        ask()


def test_what_is_there_by_then_is_left_alone_by_the_collector_until_the_end(app: FastAPI) -> None:
    before = gc.get_freeze_count()
    with warmed_up(app):
        assert gc.get_freeze_count() > before + 10_000
    assert gc.get_freeze_count() == 0
