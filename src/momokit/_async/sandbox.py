"""Making API users and keys in MTN's sandbox, or in the emulator."""

from __future__ import annotations

from momokit._async.core import AsyncCore
from momokit.errors import ConfigurationError
from momokit.holder import ApiUser
from momokit.operations import provisioning
from momokit.operations.forms import check_header
from momokit.operations.token import Access
from momokit.secret import Secret
from momokit.settings import Credentials


class AsyncSandbox:
    """Provisioning. Production has none: there, users and keys come from MTN's partner portal."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    def _access(self, subscription_key: Secret | str | None) -> Access:
        settings = self._core.settings
        if not settings.place.is_sandbox:
            raise ConfigurationError(
                f"There is no provisioning in {settings.place.country}.",
                field="market",
                hint="API users and keys for production are made in MTN's partner portal.",
            )
        key = subscription_key or settings.subscription_key
        if not key:
            raise ConfigurationError(
                "Provisioning needs a subscription key.",
                field="subscription_key",
                hint="Copy a product's primary key from your profile at MTN's developer portal.",
            )
        check_header(Secret(key).reveal(), field="subscription_key")
        return self._core.sandbox_access(Secret(key))

    async def create_api_user(
        self,
        *,
        callback_host: str,
        subscription_key: Secret | str | None = None,
        api_user: str | None = None,
    ) -> str:
        """Make an API user and give its id (MTN: post-v1_0-apiuser).

        `callback_host` is a bare host name; every callback URL must be on it, and it can never be
        changed.
        """
        return await self._core.run(
            provisioning.create_api_user(
                self._access(subscription_key),
                api_user=api_user or self._core.new_id(),
                callback_host=callback_host,
            )
        )

    async def api_user(
        self, api_user: str, *, subscription_key: Secret | str | None = None
    ) -> ApiUser:
        """Read an API user back (MTN: get-v1_0-apiuser)."""
        return await self._core.run(
            provisioning.get_api_user(self._access(subscription_key), api_user=api_user)
        )

    async def create_api_key(
        self, api_user: str, *, subscription_key: Secret | str | None = None
    ) -> Secret:
        """Make a key for an API user; shown once, and the key before it ends (MTN:
        post-v1_0-apiuser-apikey)."""
        return await self._core.run(
            provisioning.create_api_key(self._access(subscription_key), api_user=api_user)
        )

    async def provision(
        self, *, callback_host: str, subscription_key: Secret | str | None = None
    ) -> Credentials:
        """Make an API user with its key, ready to be used as a product's credentials."""
        user = await self.create_api_user(
            callback_host=callback_host, subscription_key=subscription_key
        )
        key = await self.create_api_key(user, subscription_key=subscription_key)
        used = subscription_key or self._core.settings.subscription_key
        return Credentials(subscription_key=Secret(used or ""), api_user=user, api_key=key)
