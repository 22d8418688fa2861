"""What an account answers, beside what openapi.yaml says of it. Reads only, and shows no value."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
import yaml
from jsonschema import Draft202012Validator

from amoexplore import errors

if TYPE_CHECKING:
    from amoexplore import Account

DESCRIPTION = yaml.safe_load(resources.files("amoexplore.sandbox").joinpath("openapi.yaml").read_text("utf-8"))

#: What is read, and how openapi.yaml names it.
READS = {
    "/api/v4/account": "Account",
    "/api/v4/widgets": "WidgetsPage",
    "/api/v4/widgets/{code}": "Widget",
    "/api/v4/users": "UsersPage",
    "/api/v4/leads/pipelines": "Pipelines",
}


def differences(account: Account, path: str) -> list[str]:
    """Return where an answer is not as described: places and rules, without what stands there."""
    if "{code}" in path:
        path, name = f"/api/v4/widgets/{account.widgets_page().widgets[0].code}", READS[path]
    else:
        name = READS[path]
    try:
        answer = account._transport.get(path)
    except errors.Forbidden:
        return []  # to users that are no administrators, as described
    return [] if answer.status == 204 else described(name, msgspec.json.decode(answer.body))


def described(name: str, body: Any) -> list[str]:
    """Return where a body is not what openapi.yaml says."""
    validator = Draft202012Validator({**DESCRIPTION, "$ref": f"#/components/schemas/{name}"})
    return sorted({_told(error) for error in validator.iter_errors(body)})


def _told(error: Any) -> str:
    where = ".".join("*" if isinstance(step, int) else step for step in error.absolute_path)
    # Names of fields may be shown, what they hold may not.
    more = f": {error.message}" if error.validator in ("additionalProperties", "required") else ""
    return f"{where or 'the whole'}: {error.validator}{more}"
