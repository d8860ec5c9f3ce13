"""Authentication of the user's own programs, in addition to that of Jupyter Server."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.base.handlers import JupyterHandler

if TYPE_CHECKING:
    from jupyter_server.auth.identity import IdentityProvider

    from ..core.local_token import LocalToken

#: Users without access to terminals have none to tasks.
AUTH_RESOURCE = "terminals"
#: The key of the tornado application's settings under which the local token is.
SETTING = "ptytasks_local_token"


def takes_local_token(provider: IdentityProvider) -> bool:
    """Return whether a server needs a local token: it accepts nothing but a password.

    Others have a token, in the file where they tell of themselves or from their hub; or ask for nothing; or know their
    users by means of their own, which we do not go past.
    """
    return type(provider) is PasswordIdentityProvider and bool(provider.hashed_password) and not provider.token


class LocalTokenMixin(JupyterHandler):
    """A handler that accepts the local token, too. A request with it comes from a user as with the server's own token,
    subject to the authorizer, but is given no cookie, which would open everything else.
    """

    async def prepare(self, *args: Any, **kwargs: Any) -> Any:
        """Accept the local token, before Jupyter Server authenticates the request."""
        expected: LocalToken = self.settings[SETTING]
        token = self.identity_provider.get_token(self) if expected.value else None
        if token and hmac.compare_digest(token.encode(), expected.value.encode()):
            self._jupyter_current_user = self.identity_provider.generate_anonymous_user(self)
            # As with the server's own token no other site can have sent it: it is not checked where it came from.
            self._token_authenticated = True
        return await super().prepare(*args, **kwargs)
