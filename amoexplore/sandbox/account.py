"""The accounts themselves: users and pipelines. No method of the sandbox changes them, so they are no state."""

from __future__ import annotations

import itertools

import msgspec
from msgspec.structs import replace

# The account of the example in the API's page on the account.
ACCOUNT_ID = 1231414
SUBDOMAIN = "example"


class User(msgspec.Struct, frozen=True):
    """A user of the account."""

    id: int
    name: str
    email: str
    is_admin: bool = False


class Status(msgspec.Struct, frozen=True):
    """A stage of a pipeline; one that is `is_unsorted` takes in what nobody has looked at yet."""

    id: int
    name: str
    sort: int
    color: str
    is_editable: bool = True
    is_unsorted: bool = False


class Pipeline(msgspec.Struct, frozen=True):
    """A pipeline, which leads go through stage by stage."""

    id: int
    name: str
    statuses: tuple[Status, ...]


# Ids that the API's pages show: 504141 in the example of an install, 581651 in that of the account. Others are made up.
ADMINISTRATOR = User(504141, "Анна Соколова", "anna.sokolova@example.com", is_admin=True)
ANALYST = User(581651, "Дмитрий Орлов", "dmitry.orlov@example.com")
USERS = (
    ADMINISTRATOR,
    ANALYST,
    User(593208, "Марина Чайкина", "marina.chaikina@example.com"),
    User(604417, "Тимур Кречетов", "timur.krechetov@example.com"),
    User(617730, "Ольга Ласточкина", "olga.lastochkina@example.com"),
)


class Account(msgspec.Struct, frozen=True):
    """An account by its number, and its users: an administrator, an analyst, and others."""

    number: int
    id: int
    subdomain: str
    users: tuple[User, ...]

    @property
    def administrator(self) -> User:
        """Whose token a sandbox tells first."""
        return self.users[0]

    @property
    def analyst(self) -> User:
        """Who is no administrator."""
        return self.users[1]

    @property
    def user_ids(self) -> frozenset[str]:
        """Its users, as keys of an object name them."""
        return frozenset(str(user.id) for user in self.users)

    def user(self, user_id: int) -> User | None:
        """Return the user of this id, None if it is nobody here."""
        return next((user for user in self.users if user.id == user_id), None)


#: The account of the API's pages, which a sandbox of one account has.
FIRST = Account(0, ACCOUNT_ID, SUBDOMAIN, USERS)

# Users of one account are nobody in another.
_BETWEEN_USERS = 1_000_000


def account(number: int, subdomain: str) -> Account:
    """Return an account of this number, from 1 on; its users have ids and addresses of their own."""
    users = (
        replace(user, id=user.id + number * _BETWEEN_USERS, email=user.email.replace("@", f"@{subdomain}."))
        for user in USERS
    )
    return Account(number, ACCOUNT_ID + number, subdomain, tuple(users))


def _pipeline(id_: int, name: str, *, unsorted: int, stages: tuple[str, ...]) -> Pipeline:
    """Return a pipeline with the three statuses that every pipeline has, and stages between them."""
    ids, sorts = itertools.count(unsorted + 1), itertools.count(20, 10)
    return Pipeline(
        id_,
        name,
        (
            Status(unsorted, "Неразобранное", 10, "#c1c1c1", is_editable=False, is_unsorted=True),
            *(Status(next(ids), stage, next(sorts), "#99ccff") for stage in stages),
            Status(142, "Успешно реализовано", 10000, "#CCFF66", is_editable=False),
            Status(143, "Закрыто и не реализовано", 11000, "#D5D8DB", is_editable=False),
        ),
    )


# The first pipeline and its first status have the ids of the example in the API's page on pipelines.
MAIN_PIPELINE = _pipeline(
    3177727, "Воронка", unsorted=32392156, stages=("Первичный контакт", "Переговоры", "Принимают решение")
)
PIPELINES = (
    MAIN_PIPELINE,
    _pipeline(3177730, "Повторные продажи", unsorted=32392170, stages=("Предложение отправлено", "Согласование")),
)
