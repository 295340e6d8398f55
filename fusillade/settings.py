"""All settings, from the environment: ``FUSILLADE_`` and the field's name in capitals."""

import json
import ssl
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fusillade.blocklist import rules
from fusillade.exports.place import checked_place
from fusillade.places import PLACES, Place
from fusillade.regions import is_code

Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
PositiveSeconds = Annotated[float, Field(gt=0)]


def _region_code(text: str) -> str:
    if not is_code(text):
        raise ValueError(
            f"'{text}' cannot be the code of a region; use letters, digits, '-', '_' and '.'"
        )
    return text


RegionCode = Annotated[str, AfterValidator(_region_code)]


class PlanChanges(BaseModel):
    """Limits of one plan; what is missing stays as it is built in. Times in seconds."""

    model_config = ConfigDict(extra="forbid")

    monthly_minutes: Positive | None = None
    """null for no limit."""
    workers: Positive = 1
    duration_seconds: Positive = 1
    regions: tuple[str, ...] = ()
    templates: Annotated[int, Field(ge=0)] = 0
    schedules: Annotated[int, Field(ge=0)] = 0
    script_bytes: Positive = 1


class Settings(BaseSettings):
    """One platform's settings. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="FUSILLADE_", extra="ignore")

    data_dir: Path = Path("~/.fusillade")
    """Database, keys and passwords of a platform with embedded defaults."""
    database_url: str | None = None
    """``postgresql+psycopg://...``; None for the bundled PostgreSQL in the data directory."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000

    admin_email: str | None = None
    admin_password: str | None = None
    """The first administrator; generated where they are missing."""

    jwt_secret: Annotated[str, Field(min_length=32)] | None = None
    """Signs tokens; None for one that is kept in the data directory."""
    token_ttl_seconds: Positive = 24 * 3600

    public_url: str | None = None
    """Where users reach the API, for links in mails; None for host and port."""
    invitation_days: Annotated[int, Field(ge=1, le=365)] = 7
    """How long an invitation can be accepted."""
    mail_from: str = "Fusillade <fusillade@localhost>"
    smtp_host: str | None = None
    """The mail server; None to write mails to files in the data directory."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_username: str | None = None
    smtp_password: str | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """``tls`` from the first byte (port 465), ``starttls`` after a greeting (port 587)."""

    rate_limit_requests: NotNegative = 100
    rate_limit_seconds: PositiveSeconds = 10.0
    """Requests of one client in so many seconds; 0 for no limit."""
    rate_limit_auth_requests: NotNegative = 10
    rate_limit_auth_seconds: PositiveSeconds = 60.0
    """The same for logins, passwords and the links of invitations."""
    trusted_proxies: list[IPv4Network | IPv6Network] = []
    """Networks of proxies whose ``X-Forwarded-For`` says who the client is."""

    blocked_domains: list[str] = []
    """Domains (with all names below them) and networks (``10.0.0.0/8``) that tests may not use."""
    allow_private_targets: bool = True
    """Whether tests may send to private and loopback addresses. Link-local addresses and those of
    clouds' metadata are blocked in any case."""

    default_region: RegionCode = "eu-hel1"
    regions: Annotated[list[RegionCode], NoDecode, Field(validate_default=True)] = [
        "eu-hel1",
        "us-east-1",
        "ap-sin1",
    ]
    """Codes of the regions that a test may name; nodes carry them as ``ray.io/region``. In
    the environment as ``eu-hel1,us-east-1`` or as JSON."""
    region_places: dict[RegionCode, Place] = {}
    """Name and continent by code: ``{"on-prem": {"name": "Cellar", "continent": "Europe"}}``. They
    win over what is built in; a region that nobody knows is shown by its code."""
    plans: dict[str, PlanChanges] = {}
    """By name: ``{"free": {"monthly_minutes": 300}}``. What it says of ``free``, ``pro``, ``team``,
    ``enterprise`` or ``self-hosted`` wins over what is built in; other names are plans of one's
    own."""

    max_script_bytes: Positive = 1 << 20
    """Size of a module."""
    max_test_bytes: Positive = 10 << 20
    """Size of all files of a test together, unpacked."""
    max_test_files: Positive = 500
    max_workers: Positive = 100_000
    """The most virtual users that a test may have."""
    max_duration_seconds: Positive = 24 * 3600
    max_templates: Positive = 100
    max_schedules: Positive = 100
    """How many an organisation may keep."""
    schedule_grace_seconds: Annotated[float, Field(ge=1)] = 300.0
    """How late a schedule may still fire, for which the platform was not there in time."""
    schedule_history_days: Positive = 90
    """How long it is known what became of a schedule's firings."""
    validation_seconds: PositiveSeconds = 2.0
    """How long a script's init code may run when it is uploaded."""
    host_memory_bytes: Positive = 1 << 30
    """What one script host may use."""
    watchdog_seconds: PositiveSeconds = 5.0
    """How long a script may keep its host from doing anything else."""
    workers_per_actor: Positive = 1000
    """Virtual users for each WorkerActor, which has one core, at most."""
    iterations_per_actor: Positive = 10_000
    """Iterations a second for each WorkerActor, at most, where arrival rates say how many there
    will be: about a fifth of what one core does of the heavier cases in docs/performance.md."""
    spare_processes: NotNegative = 3
    """Processes of Ray's that wait on the head node for the next test, which needs so many there; 0
    to start them when they are needed."""
    relay_from: Positive = 50
    """From so many WorkerActors on, those of one machine send their metrics in one call."""
    provisioning_seconds: PositiveSeconds = 900.0
    """How long a test waits for machines of its region."""
    hopeless_seconds: PositiveSeconds = 120.0
    """How long it waits where none will come: the region has none, or too few even if no other test
    ran, and none are started."""
    ready_seconds: PositiveSeconds = 3600.0
    """How long a ready test may keep its machines without being started."""
    pause_seconds: PositiveSeconds = 3600.0
    """How long a test may be paused; then it is stopped."""
    wait_ready_seconds: PositiveSeconds = 300.0
    wait_completed_seconds: PositiveSeconds = 1800.0
    """How long ``?wait=true`` waits, without and with ``wait_for=completed``."""
    webhook_allow_private: bool = False
    """Whether webhooks may lead to loopback and private addresses."""
    webhook_ca_file: Path | None = None
    """Certificates in PEM that receivers may have besides those that the system trusts: a
    self-signed one, or one's own authority."""
    webhook_failing_hours: Positive = 72
    """A webhook is switched off when nothing has arrived there for so long, however often tried."""
    webhook_overlap_hours: NotNegative = 24
    """How long the secret before a rotation signs as well."""
    webhook_retention_days: Positive = 30
    """How long deliveries are shown."""
    export_url: str | None = None
    """A directory of the head node, or ``s3://BUCKET/PREFIX``, where the series of each run is
    written as Parquet; None for nowhere."""
    log_format: Literal["text", "json"] = "text"
    """Of the actors' log lines: for people, or an object a line for programs."""
    otlp_endpoint: str | None = None
    """``http://HOST:4318``: a collector of OpenTelemetry that is told of traces and metrics by OTLP
    over HTTP; None for nobody."""
    serve_replicas: Positive = 1
    """API processes."""

    @field_validator("regions", mode="before")
    @classmethod
    def _list_of_codes(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        if given.lstrip().startswith("["):
            try:
                return json.loads(given)
            except ValueError as error:
                raise ValueError(
                    "name codes with commas between, or a JSON list of them"
                ) from error
        return [code.strip() for code in given.split(",") if code.strip()]

    @field_validator("regions")
    @classmethod
    def _with_the_default(cls, codes: list[str], info: ValidationInfo) -> list[str]:
        default = info.data.get("default_region")
        if default is not None and default not in codes:
            raise ValueError(
                f"it must have the default region {default} in it; FUSILLADE_DEFAULT_REGION names "
                "another one"
            )
        return codes

    @field_validator("webhook_ca_file")
    @classmethod
    def _certificates(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        path = path.expanduser().absolute()
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:  # ssl.SSLError is one
            raise ValueError(f"{path} is no readable file of certificates in PEM") from error
        return path

    @field_validator("otlp_endpoint")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError(f"'{url}' is no address of a collector; give http://HOST:4318")
        return url

    @field_validator("export_url")
    @classmethod
    def _path_or_bucket(cls, url: str | None) -> str | None:
        return None if url is None else checked_place(url)

    @field_validator("blocked_domains")
    @classmethod
    def _domains_or_networks(cls, entries: list[str]) -> list[str]:
        rules(entries, allow_private=True)
        return entries

    def place(self, code: str) -> Place | None:
        """Where the machines of a region stand; None if nobody knows."""
        return self.region_places.get(code) or PLACES.get(code)

    @property
    def base_url(self) -> str:
        """Where users reach the API, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
