from __future__ import annotations

from typing import TYPE_CHECKING

from page import call

from amoexplore.sandbox.account import ADMINISTRATOR, PIPELINES, USERS

if TYPE_CHECKING:
    from amoexplore.sandbox import Sandbox

RIGHTS = [
    *("leads", "contacts", "companies", "tasks", "mail_access", "catalog_access", "status_rights", "is_admin"),
    *("is_free", "is_active", "group_id", "role_id"),
]


def test_users() -> None:
    """There are several users, each once, by ascending id; the first one alone is an administrator."""
    ids = [user.id for user in USERS]
    assert ids == sorted(set(ids))
    assert ids[:2] == [504141, 581651]
    assert [user for user in USERS if user.is_admin] == [ADMINISTRATOR] == [USERS[0]]


def test_users_are_answered_as_on_their_page(sandbox: Sandbox) -> None:
    """A user has the keys of the example on the API's page on users, and by id is answered as on the list."""
    users = call(sandbox, "/api/v4/users").json["_embedded"]["users"]
    for user, expected in zip(users, USERS, strict=True):
        assert list(user) == ["id", "name", "email", "lang", "rights", "_links"]
        assert (user["id"], user["name"], user["email"]) == (expected.id, expected.name, expected.email)
        assert list(user["rights"]) == RIGHTS
        assert user["rights"]["is_admin"] is expected.is_admin
        assert list(user["rights"]["leads"]) == ["view", "edit", "add", "delete", "export"]
        assert list(user["rights"]["tasks"]) == ["edit", "delete"]
        assert call(sandbox, f"/api/v4/users/{user['id']}").json == user


def test_pipelines_are_answered_as_on_their_page(sandbox: Sandbox) -> None:
    """Pipelines have the keys of the example on their page, one is the main one, and by id each is as on the list."""
    answer = call(sandbox, "/api/v4/leads/pipelines").json
    pipelines = answer["_embedded"]["pipelines"]
    assert list(answer) == ["_total_items", "_links", "_embedded"]
    assert answer["_total_items"] == len(pipelines) == len(PIPELINES)
    assert [pipeline["is_main"] for pipeline in pipelines] == [True, False]
    for pipeline in pipelines:
        assert list(pipeline) == [
            *("id", "name", "sort", "is_main", "is_unsorted_on", "is_archive", "account_id", "_links", "_embedded"),
        ]
        assert call(sandbox, pipeline["_links"]["self"]["href"].removeprefix(sandbox.url)).json == pipeline


def test_statuses_are_answered_as_on_their_page(sandbox: Sandbox) -> None:
    """Each pipeline begins with what is unsorted and ends with 142 and 143; no other status is in two pipelines."""
    pipelines = call(sandbox, "/api/v4/leads/pipelines").json["_embedded"]["pipelines"]
    own: list[int] = []
    for pipeline in pipelines:
        statuses = pipeline["_embedded"]["statuses"]
        assert [status["type"] for status in statuses] == [1] + [0] * (len(statuses) - 1)
        assert [status["id"] for status in statuses[-2:]] == [142, 143]
        assert [status["sort"] for status in statuses] == sorted(status["sort"] for status in statuses)
        assert {status["pipeline_id"] for status in statuses} == {pipeline["id"]}
        own += [status["id"] for status in statuses[:-2]]
    assert len(own) == len(set(own))
    assert list(pipelines[0]["_embedded"]["statuses"][0]) == [
        *("id", "name", "sort", "is_editable", "pipeline_id", "color", "type", "account_id", "_links"),
    ]
