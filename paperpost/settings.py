"""What an operator can set: read once, frozen, and wrong values stop the program.

Values come from the environment (`PAPERPOST_…`), else from `paperpost.toml` in the current
folder. Secrets may be given as a file instead: `PAPERPOST_SECRET_KEY_FILE` and so on.
"""

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from email.utils import parseaddr
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from paperpost.errors import PaperpostError

SECRETS = ("database_url", "dkim_key", "openalex_key", "pubmed_key", "secret_key", "smtp_url")
SHORTEST_KEY = 16
IN_DATABASE = "database"
# What leaves room for a token in the 64 octets of a local part (mailer/verp.py).
LONGEST_BOUNCE_NAME = 31
TEST_DATA = "PAPERPOST_DATA"  # where the tests find real papers
# RFC 6376, section 3.1: labels of a name in the DNS.
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*")
_ENGINE = re.compile(r"embedded|dask(?:\+tls)?://(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}", re.ASCII)


class SettingsError(PaperpostError):
    """A setting is missing or has a value that cannot be used."""


def _split(value: object) -> object:
    """`a, b c` from the environment as ("a", "b", "c"); lists from TOML stay as they are."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _split_keys(value: object) -> object:
    return _keys_in(value) if isinstance(value, str) else value


def _keys_in(text: str) -> tuple[str, ...]:
    """Several keys stand on lines of their own or between commas; a key may hold spaces."""
    keys = (key.strip() for key in text.replace(",", "\n").splitlines())
    return tuple(key for key in keys if key)


def checked_engine(value: str) -> str:
    """The name of an engine; raises ValueError for anything else."""
    if not _ENGINE.fullmatch(value):
        raise ValueError(
            f"must be embedded, dask://HOST:PORT or dask+tls://HOST:PORT, not {value!r}"
        )
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Keys = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_keys)]
Optional = Annotated[str | None, BeforeValidator(_none_if_empty)]


class SecretFiles(PydanticBaseSettingsSource):
    """Reads `PAPERPOST_NAME_FILE`; a file that is named but cannot be read is an error."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        variable = f"PAPERPOST_{field_name.upper()}"
        path = os.environ.get(f"{variable}_FILE")
        if path is None or field_name not in SECRETS:
            return None, field_name, False
        if variable in os.environ:
            raise SettingsError(f"{variable} and {variable}_FILE are both set; use one of them")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{variable}_FILE: cannot read {path}: {error}") from error

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """The settings of one installation. Defaults are those of the README's table."""

    model_config = SettingsConfigDict(
        env_prefix="PAPERPOST_", toml_file="paperpost.toml", frozen=True, extra="forbid"
    )

    home: Path = Path("paperpost-data")
    database_url: Optional = None
    models: Optional = None
    engine: Annotated[str, AfterValidator(checked_engine)] = "embedded"
    smtp_url: Optional = None
    smtp_connections: int = Field(4, ge=1, le=32)
    dkim_key: Optional = None
    dkim_selector: str = "paperpost"
    public_url: str = "http://127.0.0.1:8000"
    trusted_proxies: Words = ("127.0.0.1", "::1")
    sender: str = Field("Paperpost <paperpost@localhost>", validation_alias="PAPERPOST_FROM")
    secret_key: Keys = ()
    sources: Words = ("arxiv:cs.AI+cs.CL+cs.CV+cs.LG",)
    operator: Optional = None
    postal_address: Optional = None
    bounces: Optional = None
    bounce_folder: Annotated[Path | None, BeforeValidator(_none_if_empty)] = None
    signup: Words = ("open",)
    signups_per_hour: int = Field(200, ge=1, le=100_000)
    vote_hold_seconds: int = Field(600, ge=0, le=7 * 86400)
    vote_one_tap: bool = False
    upvotes: bool = True
    source_mirror: Optional = None
    openalex_key: Optional = None
    pubmed_key: Optional = None
    allow_private_sources: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before the environment before secret files before `paperpost.toml`."""
        toml = _TomlNames(settings_cls)
        return init_settings, env_settings, SecretFiles(settings_cls), toml

    @field_validator("public_url", "source_mirror")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
            raise ValueError(f"not an http or https address: {value!r}")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ip_network(one)  # uvicorn would take what is neither for a name, and say nothing
            except ValueError as error:
                raise ValueError(
                    f"not an address, nor a network like 10.0.0.0/8: {one!r}"
                ) from error
        return value

    @field_validator("sender")
    @classmethod
    def _is_sender(cls, value: str) -> str:
        if "\n" in value or "\r" in value:
            raise ValueError("must be one line")
        address = parseaddr(value)[1]
        checked = _checked_address(address)
        if not checked.isascii():
            raise ValueError(f"must be ASCII before the @: {address!r}")
        return value.replace(address, checked)

    @field_validator("dkim_selector")
    @classmethod
    def _is_selector(cls, value: str) -> str:
        if not _SELECTOR.fullmatch(value):
            raise ValueError(f"not a name like paperpost or mail.2026: {value!r}")
        return value

    @field_validator("operator")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return value if value is None else _checked_address(value)

    @field_validator("bounces")
    @classmethod
    def _takes_a_token(cls, value: str | None) -> str | None:
        if value is None:
            return None
        checked = _checked_address(value)
        name = checked.rpartition("@")[0]
        if not name.isascii() or len(name) > LONGEST_BOUNCE_NAME:
            raise ValueError(
                f"must have at most {LONGEST_BOUNCE_NAME} signs, in ASCII, before the @: {value!r}"
            )
        return checked

    @field_validator("bounce_folder")
    @classmethod
    def _is_mail_folder(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        try:
            problem = _not_a_mail_folder(value)
        except OSError as error:
            problem = error.strerror or str(error)
        if problem:
            raise ValueError(f"{value}: {problem}")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str | None) -> str | None:
        known = ("sqlite:///", "postgresql+psycopg://")
        if value is not None and not value.startswith(known):
            raise ValueError("must begin with postgresql+psycopg:// or sqlite:///")
        return value

    @field_validator("signup")
    @classmethod
    def _is_rule(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value in ((), ("open",)):
            return ("open",)
        return value if value == ("closed",) else tuple(_mail_domain(name) for name in value)

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(key) < SHORTEST_KEY for key in value):
            raise ValueError(f"must be at least {SHORTEST_KEY} characters")
        return value

    @model_validator(mode="after")
    def _shared_store_needs_a_shared_key(self) -> "Settings":
        if self.on_postgresql and not self.secret_key:
            raise ValueError(
                "PAPERPOST_SECRET_KEY must be set with PostgreSQL: "
                "every machine has to sign links with the same key"
            )
        return self

    @model_validator(mode="after")
    def _reports_come_to_an_address_of_ours(self) -> "Settings":
        if self.bounce_folder is not None and self.bounces is None:
            raise ValueError(
                "PAPERPOST_BOUNCE_FOLDER needs PAPERPOST_BOUNCES, the address whose mail is put "
                "there: without it no report says which mail came back"
            )
        return self

    @property
    def on_postgresql(self) -> bool:
        """Whether the store is PostgreSQL, which several machines may share."""
        return self.store_url.startswith("postgresql")

    @property
    def store_url(self) -> str:
        """The database's SQLAlchemy URL; by default a SQLite file in the home."""
        return self.database_url or f"sqlite:///{(self.home / 'paperpost.db').absolute()}"

    @cached_property
    def sender_address(self) -> str:
        """The address that mails come from."""
        return parseaddr(self.sender)[1]

    @property
    def sender_domain(self) -> str:
        """The domain that mails come from, in ASCII."""
        return self.sender_address.rpartition("@")[2]

    @property
    def models_folder(self) -> Path:
        """Where this machine keeps model snapshots."""
        return self.home / "models"

    @property
    def shared_models(self) -> Path | None:
        """The folder by which machines share model snapshots, if not by the database."""
        return None if self.models in (None, IN_DATABASE) else Path(self.models or "")

    @property
    def models_in_database(self) -> bool:
        """Whether machines share model snapshots by the database."""
        return self.models == IN_DATABASE or (self.models is None and self.on_postgresql)

    @property
    def mail_folder(self) -> Path:
        """Where mails go as files when there is no SMTP server."""
        return self.home / "mail"

    @property
    def key_file(self) -> Path:
        """Where the key is kept that was made on first use."""
        return self.home / "secret.key"

    def signing_keys(self) -> tuple[bytes, ...]:
        """The keys of links in mails, the signing one first; made on first use."""
        return tuple(key.encode() for key in self.secret_key or _keys_in(self._kept_key()))

    def unnamed_keys(self) -> tuple[str, ...]:
        """The keys in the home that PAPERPOST_SECRET_KEY is set and does not name: a restore leaves
        them there."""
        if not self.secret_key or not self.key_file.exists():
            return ()
        kept = _keys_in(self.key_file.read_text(encoding="ascii", errors="replace"))
        usable = (key for key in kept if len(key) >= SHORTEST_KEY and key.isascii())
        return tuple(key for key in usable if key not in self.secret_key)

    def _kept_key(self) -> str:
        path = self.key_file
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create_once(path, secrets.token_urlsafe(32))
        key = path.read_text(encoding="ascii", errors="replace").strip()
        if len(key) < SHORTEST_KEY or not key.isascii():
            raise SettingsError(f"{path} holds no usable key; restore it from a backup")
        return key


class _TomlNames(TomlConfigSettingsSource):
    """`paperpost.toml` may say `from` for the sender, as the environment does."""

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        return {("PAPERPOST_FROM" if k == "from" else k): v for k, v in values.items()}


def _checked_address(value: str) -> str:
    """The address, its domain in ASCII (RFC 5890), which every mail server understands."""
    try:
        # localhost and other special names are allowed: mail may stay on this machine.
        domain = value.rpartition("@")[2]
        if domain == "localhost":
            validate_email(
                value.removesuffix("localhost") + "example.org", check_deliverability=False
            )
            return value
        checked = validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"not an e-mail address: {value!r} ({error})") from error
    return checked.ascii_email or value


def _mail_domain(name: str) -> str:
    """The domain as the addresses of subscribers have it."""
    try:
        someone = f"a@{name.removeprefix('@')}"
        return validate_email(someone, check_deliverability=False, test_environment=True).domain
    except EmailNotValidError as error:
        raise ValueError(
            f"must be open, closed, or the mail domains that may subscribe: {name!r} is none"
        ) from error


def _not_a_mail_folder(path: Path) -> str:
    """Why a path is neither a Maildir nor an mbox, nor the place of one that is to come."""
    if path.is_dir():
        is_maildir = (path / "new").is_dir() and (path / "cur").is_dir()
        return "" if is_maildir else "this folder is no Maildir: it has no new/ and cur/"
    if path.exists():
        return "" if path.is_file() else "this is neither a Maildir nor an mbox file"
    return "" if path.parent.is_dir() else f"there is no folder {path.parent}"


def _create_once(path: Path, text: str) -> None:
    """Write `path` unless another process has just done so; readers never see half a key."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
    try:
        os.link(scratch, path)  # fails when the key is there already: the first one wins
    except FileExistsError:
        pass
    finally:
        scratch.unlink()


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """What begins like our variables and sets nothing, with what was perhaps meant, as lines."""
    fields = {"from" if name == "sender" else name for name in Settings.model_fields}
    files = {f"{name}_file" for name in SECRETS}
    known = [f"PAPERPOST_{name.upper()}" for name in sorted(fields | files)] + [TEST_DATA]
    lines = []
    for name in sorted(environment):
        if name.upper().startswith("PAPERPOST_") and name.upper() not in known:
            meant = get_close_matches(name.upper(), known, n=1)
            lines.append(f"{name} sets nothing" + "".join(f": is {m} meant?" for m in meant))
    return lines


def load_settings(**given: Any) -> Settings:
    """The settings as they stand; raises SettingsError with one line on a wrong value."""
    try:
        return Settings(**given)
    except ValidationError as error:
        first: Mapping[str, Any] = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"paperpost.toml: there is no setting {name!r}") from error
        variable = name if name.startswith("PAPERPOST") else f"PAPERPOST_{name.upper()}"
        raise SettingsError(f"{variable}: {message}" if name else message) from error
    except ValueError as error:
        raise SettingsError(f"paperpost.toml: {error}") from error
