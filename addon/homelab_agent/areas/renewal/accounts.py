"""The accounts with authorities: one is chosen, those of before are kept for their certificates."""

import asyncio
import base64

from homelab_agent.areas.renewal.authority import (
    Account,
    Authority,
    AuthorityAway,
    ClockIsOff,
    ExternalAccount,
    Session,
)
from homelab_agent.areas.renewal.kept import KeptAccount
from homelab_agent.areas.renewal.key_loader import load_key_tools
from homelab_agent.areas.renewal.models import (
    ACME_ACCOUNT_KEY,
    ACME_ACCOUNT_KIND,
    LETS_ENCRYPT,
    AcmeAccount,
    AcmeAccountBody,
    KeyType,
)
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import Conflict, Invalid
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import acme_account
from homelab_agent.platform.vault import Vault

_URL_SAFE = str.maketrans("+/", "-_")

_log = get_logger(__name__)


class Accounts:
    """Keeps the accounts; their keys are sealed."""

    def __init__(
        self, store: Store, vault: Vault, authority: Authority, resources: Resources, clock: Clock
    ) -> None:
        self._records = Records(store, acme_account, KeptAccount)
        self._vault = vault
        self._authority = authority
        self._resources = resources
        self._clock = clock
        self._known: dict[str, KeptAccount] = {}
        self._loaded = False
        self._changing = asyncio.Lock()

    async def ready(self) -> None:
        """Read the store, the first time."""
        async with self._changing:
            if not self._loaded:
                self._known = await self._records.all()
                self._loaded = True
                self._publish()

    def chosen(self) -> KeptAccount:
        """Return whom to order from now."""
        found = next((each for each in self._known.values() if each.chosen), None)
        return found or KeptAccount(directory=LETS_ENCRYPT, chosen=True)

    def shown(self) -> AcmeAccount:
        """Return the chosen account as everybody sees it."""
        account = self.chosen()
        return AcmeAccount(
            key=ACME_ACCOUNT_KEY,
            directory=account.directory,
            email=account.email,
            external_key_id=account.external_key_id,
            terms_agreed=account.terms_agreed,
            registered=account.url is not None,
            terms_url=account.terms_url,
        )

    def require_agreed(self) -> KeptAccount:
        """Return whom to order from; `Conflict` as long as nobody agreed to the terms."""
        account = self.chosen()
        if not account.terms_agreed:
            raise Conflict(
                f"Nobody has agreed to the terms of {account.directory} yet.",
                field="terms_agreed",
                hint="Read them, and agree in the settings of the account "
                "(PUT /api/v1/acme/account).",
            )
        return account

    async def choose(self, body: AcmeAccountBody) -> AcmeAccount:
        """Order from this authority from now on. It need not be there at the moment."""
        _require_external_account(body)
        terms_url = await self._terms_url(body)
        async with self._changing:
            known = self._known.get(body.directory)
            account = self._bound(known or KeptAccount(directory=body.directory, chosen=True), body)
            account = account.model_copy(
                update={
                    "chosen": True,
                    "email": body.email,
                    "terms_agreed": body.terms_agreed,
                    "terms_url": terms_url or (known.terms_url if known else None),
                    # Who only corrects the address of a person does not give it again.
                    "authority_pem": body.authority_pem or (known.authority_pem if known else None),
                }
            )
            others = [
                each.model_copy(update={"chosen": False})
                for each in self._known.values()
                if each.chosen and each.directory != body.directory
            ]
            await self._put(account, *others)
        return self.shown()

    async def session(self, directory: str) -> Session:
        """Return what can be asked of an authority, by an account that it knows."""
        account = await self._with_key(directory)
        key_pem = self._vault.open(account.sealed_key or "", _purpose(directory))
        session = await self._authority.open(
            Account(
                directory=directory,
                key_pem=key_pem,
                email=account.email,
                registered_email=account.registered_email,
                url=account.url,
                authority_pem=account.authority_pem,
                external=self._external(account),
            )
        )
        url = await session.register()
        if (url, account.email) != (account.url, account.registered_email):
            async with self._changing:
                # What a person changed meanwhile stays.
                now = self._known.get(directory, account)
                await self._put(
                    now.model_copy(update={"url": url, "registered_email": account.email})
                )
        return session

    def authority_pem(self, directory: str) -> str | None:
        """Return whom to trust for a directory."""
        known = self._known.get(directory)
        return known.authority_pem if known else None

    def _bound(self, account: KeptAccount, body: AcmeAccountBody) -> KeptAccount:
        """Return an account bound to what was given of the authority's website.

        One that is bound to something else by now needs a key that the authority does not know.
        """
        if body.external_key_id is None or body.external_hmac_key is None:
            return account
        secret = _uniform(body.external_hmac_key.get_secret_value())
        sealed = self._vault.seal(secret, _external_purpose(account.directory))
        update: dict[str, str | None] = {
            "external_key_id": body.external_key_id,
            "sealed_external_key": sealed,
        }
        if account.external_key_id != body.external_key_id:
            update |= {"sealed_key": None, "url": None, "registered_email": None}
        return account.model_copy(update=update)

    def _external(self, account: KeptAccount) -> ExternalAccount | None:
        if account.external_key_id is None or account.sealed_external_key is None:
            return None
        hmac_key = self._vault.open(
            account.sealed_external_key, _external_purpose(account.directory)
        )
        return ExternalAccount(key_id=account.external_key_id, hmac_key=hmac_key)

    async def _with_key(self, directory: str) -> KeptAccount:
        async with self._changing:
            account = self._known.get(directory)
            if account is None:
                raise Conflict(
                    f"The agent has no account with {directory}.",
                    hint="Set the account up (PUT /api/v1/acme/account).",
                )
            if account.sealed_key is None:
                tools = await load_key_tools()
                key_pem = await asyncio.to_thread(tools.new_key, KeyType.EC_P256)
                # Kept before anybody hears of it: a crash leaves no account without its key.
                sealed = self._vault.seal(key_pem, _purpose(directory))
                account = account.model_copy(update={"sealed_key": sealed})
                await self._put(account)
            return account

    async def _terms_url(self, body: AcmeAccountBody) -> str | None:
        try:
            return await self._authority.terms_url(body.directory, body.authority_pem)
        except (AuthorityAway, ClockIsOff) as error:
            _log.warning("terms_not_looked_up", directory=body.directory, why=error.message)
            return None
        except Invalid as error:
            raise Invalid(error.message, field=error.field or "directory") from error

    async def _put(self, *accounts: KeptAccount) -> None:
        now = self._clock()
        await self._records.put({each.directory: (now, each) for each in accounts})
        self._known |= {each.directory: each for each in accounts}
        self._publish()

    def _publish(self) -> None:
        self._resources.publish(ACME_ACCOUNT_KIND, ACME_ACCOUNT_KEY, self.shown())


def _require_external_account(body: AcmeAccountBody) -> None:
    """Raise `Invalid` where half of it is given, or what no authority gives out."""
    given, secret = body.external_key_id, body.external_hmac_key
    if (given is None) != (secret is None):
        missing = "external_key_id" if given is None else "external_hmac_key"
        raise Invalid(
            "An account at the authority's website has both a key id and an HMAC key.",
            field=missing,
        )
    if secret is None:
        return
    try:
        text = _uniform(secret.get_secret_value())
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if not key:
        raise Invalid(
            "The HMAC key is not in Base64.",
            field="external_hmac_key",
            hint="Copy it from the authority's website once more, without its key id.",
        )


def _uniform(text: str) -> str:
    """Return Base64 as ACME has it: for addresses, without padding."""
    return text.strip().rstrip("=").translate(_URL_SAFE)


def _external_purpose(directory: str) -> str:
    return f"external account at {directory}"


def _purpose(directory: str) -> str:
    return f"ACME account with {directory}"
