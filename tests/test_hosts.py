from __future__ import annotations

import pytest

from amoexplore import errors
from amoexplore.hosts import account_address, neighbour


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("example.amocrm.ru", "https://example.amocrm.ru"),
        (" Example.Kommo.com/ ", "https://example.kommo.com"),
        ("https://example.amocrm.com:443", "https://example.amocrm.com"),
        ("127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("localhost:8700", "http://localhost:8700"),
        ("account2.localhost:8700", "http://account2.localhost:8700"),
    ],
)
def test_a_host_is_enough(host: str, address: str) -> None:
    """An account may be named by its host: https, but on this machine."""
    assert account_address(host) == address


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.amocrm.ru", "127.0.0.1"),
        ("https://example.amocrm.ru", "localhost:8700"),
        ("https://example.amocrm.ru", "evil.example"),
        ("https://example.amocrm.ru", "account2.localhost"),
        ("http://account2.localhost:8700", "account2.localhost.evil.example"),
        ("https://example.amocrm.ru", "moved.amocrm.ru/oauth"),
        ("https://example.amocrm.ru", ""),
        ("http://127.0.0.1:8700", "moved.amocrm.ru"),
    ],
)
def test_hosts_that_no_account_names(url: str, host: str) -> None:
    """Where an account says it is, or asks to be asked, is of its own kind; its tokens go nowhere else."""
    with pytest.raises(errors.ConfigurationError):
        neighbour(url, host)


def test_neighbours() -> None:
    """An account may move within amoCRM's and Kommo's domains, and a sandbox on this machine."""
    assert neighbour("https://example.amocrm.ru", "api-a.kommo.com") == "https://api-a.kommo.com"
    assert neighbour("http://127.0.0.1:8700", "localhost:8700") == "http://localhost:8700"


@pytest.mark.parametrize("host", ["evillocalhost", "localhost.evil.example", "a.localhost.evil.example", "localhost."])
def test_names_that_only_look_like_this_machines(host: str) -> None:
    """Only names below .localhost are this machine's; a token is not sent in the open anywhere else."""
    with pytest.raises(errors.ConfigurationError):
        account_address(f"http://{host}:8700")
