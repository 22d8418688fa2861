"""The page on which a user allows an integration to act for them, and where it sends the browser then."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from amoexplore.sandbox.account import Account

_PAGE = """<!DOCTYPE html>
<html lang="ru">
<head><meta charset="utf-8"><title>Доступ к аккаунту {account}</title></head>
<body>
{content}
</body>
</html>
"""

_FORM = """<h1>Предоставить доступ к аккаунту {account}?</h1>
<p>Интеграция <code>{client_id}</code> получит права выбранного пользователя.</p>
<form method="post" action="/oauth">
{hidden}
<p><label>Пользователь <select name="user">
{users}
</select></label></p>
<p><button name="decision" value="allow">Разрешить</button> <button name="decision" value="deny">Отказать</button></p>
</form>"""

# Whose domain it is, as the redirect tells it: 1 for amocrm.ru, 2 for amocrm.com and kommo.com.
_GLOBAL = (".amocrm.com", ".kommo.com")


def consent_page(account: Account, client_id: str, redirect_uri: str, state: str) -> Response:
    """Ask the user."""
    fields = {"client_id": client_id, "redirect_uri": redirect_uri, "state": state}
    hidden = (f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())
    users = (f'<option value="{user.id}">{escape(user.name)}{_rank(user.is_admin)}</option>' for user in account.users)
    form = _FORM.format(
        account=account.subdomain, client_id=escape(client_id), hidden="\n".join(hidden), users="\n".join(users)
    )
    return HTMLResponse(_PAGE.format(account=account.subdomain, content=form))


def mistake_page(account: Account, why: str) -> Response:
    """Say to the user what is wrong with the address that brought them here."""
    return HTMLResponse(_PAGE.format(account=account.subdomain, content=f"<h1>400</h1>\n<p>{escape(why)}</p>"), 400)


def allowed(redirect_uri: str, *, code: str, host: str, state: str, client_id: str) -> Response:
    """Send the browser back with the code."""
    platform = 2 if host.partition(":")[0].endswith(_GLOBAL) else 1
    told = {"code": code, "referer": host, "state": state, "platform": platform, "client_id": client_id}
    return _redirect(redirect_uri, told)


def denied(redirect_uri: str, *, state: str) -> Response:
    """Send the browser back without a code."""
    return _redirect(redirect_uri, {"error": "access_denied", "state": state})


def is_web_address(text: str) -> bool:
    """Tell whether a browser can be sent to this address."""
    try:
        address = urlsplit(text)
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.hostname)


def _redirect(address: str, parameters: dict[str, object]) -> Response:
    joint = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{joint}{urlencode(parameters)}", 303)


def _rank(is_admin: bool) -> str:  # noqa: FBT001  what it is called with says what it is
    return " (администратор)" if is_admin else ""
