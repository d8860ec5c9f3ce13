"""Authentication of the user's own programs, in addition to that of Jupyter Server."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.base.handlers import JupyterHandler

if TYPE_CHECKING:
    from jupyter_server.auth.identity import IdentityProvider

    from ..core.local_token import LocalToken

#: Access to tasks requires access to terminals.
AUTH_RESOURCE = "terminals"
#: The key of the local token in the tornado application's settings.
SETTING = "ptytasks_local_token"


def takes_local_token(provider: IdentityProvider) -> bool:
    """Return whether a server needs a local token: it accepts only a password.

    Other servers have a token, in their runtime file or from their hub; or need no authentication; or have their own
    identity provider, which must not be bypassed.
    """
    return type(provider) is PasswordIdentityProvider and bool(provider.hashed_password) and not provider.token


class LocalTokenMixin(JupyterHandler):
    """A handler that also accepts the local token. A request with it is treated as with the server's own token,
    subject to the authorizer, but gets no cookie, which would grant access to everything else.
    """

    async def prepare(self, *args: Any, **kwargs: Any) -> Any:
        """Accept the local token, before Jupyter Server authenticates the request."""
        expected: LocalToken = self.settings[SETTING]
        token = self.identity_provider.get_token(self) if expected.value else None
        if token and hmac.compare_digest(token.encode(), expected.value.encode()):
            self._jupyter_current_user = self.identity_provider.generate_anonymous_user(self)
            # As with the server's own token, no other site can have sent it: the origin is not checked.
            self._token_authenticated = True
        return await super().prepare(*args, **kwargs)
