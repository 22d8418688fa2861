from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amoexplore.sandbox.handlers import Link, Message, continue_faults, run

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
LINKS = TEXTS | st.fixed_dictionaries({"text": TEXTS, "url": TEXTS})


def show(kind: str, **params: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return handlers that show."""
    shown = st.fixed_dictionaries({"type": st.just(kind), "value": TEXTS, **params})
    return st.fixed_dictionaries({"handler": st.just("show"), "params": shown})


SHOWS = st.one_of(
    show("text"),
    show("buttons", buttons=st.lists(TEXTS, min_size=1, max_size=25)),
    show("buttons_url", buttons=st.lists(LINKS, min_size=1, max_size=25)),
)
GOTOS = st.fixed_dictionaries(
    {
        "handler": st.just("goto"),
        "params": st.fixed_dictionaries(
            {"type": st.sampled_from(["question", "answer", "finish"]), "step": st.integers(0, 10)}
        ),
    }
)


@given(st.lists(SHOWS | GOTOS, max_size=10), st.lists(TEXTS, max_size=10))
def test_what_has_no_faults_runs(handlers: list[Any], steps: list[str]) -> None:
    """A body within the limits has no faults; a message is said for each show before a goto, then the steps' end."""
    body = {"execute_handlers": handlers}
    assert list(continue_faults(body)) == []
    kinds = [handler["handler"] for handler in handlers]
    shown = kinds.index("goto") if "goto" in kinds else len(kinds)
    texts = [message.text for message in run(steps, body)]
    assert texts[:shown] == [handler["params"]["value"] for handler in handlers[:shown]]
    rest = len(texts) - shown
    assert texts[shown:] == steps[len(steps) - rest :]


def test_messages_are_readable() -> None:
    """A message shows what it has, and no more."""
    assert repr(Message("Да")) == "Message(text='Да')"
    assert repr(Message("Да?", buttons=("да",))) == "Message(text='Да?', buttons=('да',))"
    links = (Link("amoCRM", "https://amocrm.ru"),)
    assert repr(Message("Куда?", links=links)) == (
        "Message(text='Куда?', links=(Link(text='amoCRM', url='https://amocrm.ru'),))"
    )
