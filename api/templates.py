"""``/api/v1/templates``: tests that are kept to be created again."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api import creation
from api.authentication import Full, FullFirst, Read, TestCreateFirst
from api.creation import CREATION_ERRORS, CreatedTest
from api.errors import documented
from api.fields import Moment, Name, PageSize, Region, Script, Seconds, Text, Workers
from api.idempotency import Once
from api.platform import Here, Session
from fusillade.errors import IdempotencyError, LimitExceeded, NotFound
from fusillade.metrics.live import timestamp
from fusillade.plans import limits_of
from fusillade.storage import accounts, templates
from fusillade.storage.models import Template

router = APIRouter(prefix="/api/v1/templates", tags=["templates"])

_EXAMPLE: dict[str, Any] = {
    "name": "API Smoke Test",
    "description": "Quick smoke test for the main API",
    "script_content": 'export const options = { workers: 10, duration: "30s" };\n'
    'export default function() { http.get("https://api.example.com/health"); }',
    "workers": 10,
    "duration_seconds": 30,
    "region": "eu-hel1",
}


class NewTemplate(BaseModel):
    """What to keep."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Name
    description: Text | None = None
    script_content: Script
    workers: Workers
    duration_seconds: Seconds
    region: Region | None = None


class TemplateChanges(BaseModel):
    """What to change; what is missing or null stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"workers": 20}]})

    name: Name | None = None
    description: Text | None = None
    script_content: Script | None = None
    workers: Workers | None = None
    duration_seconds: Seconds | None = None
    region: Region | None = None


class RunOverrides(BaseModel):
    """What this one test has instead of what the template says."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"workers": 50, "duration_seconds": 120}]}
    )

    name: Name | None = None
    workers: Workers | None = None
    duration_seconds: Seconds | None = None
    region: Region | None = None


class ListedTemplate(BaseModel):
    """A template without its script."""

    id: UUID
    name: str
    description: str
    workers: int
    duration_seconds: int
    region: str
    created_at: Moment
    updated_at: Moment


class ShownTemplate(ListedTemplate):
    """A template."""

    script_content: str


class Templates(BaseModel):
    """Newest first. ``next_cursor`` leads to the next page."""

    templates: list[ListedTemplate]
    total: int
    limit: int
    next_cursor: str | None


@router.post(
    "", status_code=201, responses=documented(*CREATION_ERRORS, LimitExceeded, IdempotencyError)
)
async def create(body: NewTemplate, caller: FullFirst, platform: Here, once: Once) -> ShownTemplate:
    """Create a template. Its script is checked as an uploaded one is."""
    async with platform.database.session() as session:
        await once.look(session, caller)
    template = Template(
        organisation_id=caller.organisation_id,
        created_by=caller.user.id,
        name=body.name,
        description=body.description or "",
        script_content=body.script_content,
        workers=body.workers,
        duration_seconds=body.duration_seconds,
        region=body.region or platform.settings.default_region,
    )
    await creation.check(platform, caller, templates.plan_of(template))
    async with platform.database.session() as session:
        await once.claim(session, caller)
        organisation = await accounts.organisation(session, caller.organisation_id)
        most = limits_of(organisation, platform.settings).templates
        await templates.create(session, template, most)
        shown = _shown(template)
        await once.keep(session, caller, template.id, shown)
    return shown


@router.get("")
async def list_templates(
    caller: Read, session: Session, limit: PageSize = 20, cursor: str | None = None
) -> Templates:
    """The organisation's templates, newest first, without their scripts."""
    page = await templates.page(session, caller.organisation_id, limit=limit, cursor=cursor)
    return Templates(
        templates=[ListedTemplate(**_fields(template)) for template in page.rows],
        total=page.total,
        limit=limit,
        next_cursor=page.next_cursor,
    )


@router.get("/{template_id}", responses=documented(NotFound))
async def details(template_id: UUID, caller: Read, session: Session) -> ShownTemplate:
    """One template with its script."""
    return _shown(await templates.get(session, template_id, caller.organisation_id))


@router.patch("/{template_id}", responses=documented(NotFound, *CREATION_ERRORS))
async def change(
    template_id: UUID, body: TemplateChanges, caller: FullFirst, platform: Here
) -> ShownTemplate:
    """Change a template. Tests that were made from it before stay as they are."""
    changes = body.model_dump(exclude_none=True)
    async with platform.database.session() as session:
        before = await templates.get(session, template_id, caller.organisation_id)
    of_test = {name: changes[name] for name in templates.OF_TEST if name in changes}
    if of_test.keys() - {"name"}:
        await creation.check(platform, caller, templates.plan_of(before, of_test))
    async with platform.database.session() as session:
        template = await templates.change(
            session, template_id, caller.organisation_id, changes, datetime.now(UTC)
        )
    return _shown(template)


@router.delete("/{template_id}", status_code=204, responses=documented(NotFound))
async def delete(template_id: UUID, caller: Full, session: Session) -> None:
    """Delete a template. Tests that were made from it stay."""
    await templates.delete(session, template_id, caller.organisation_id)


@router.post(
    "/{template_id}/run", status_code=201, responses=documented(NotFound, *CREATION_ERRORS)
)
async def run(
    template_id: UUID,
    caller: TestCreateFirst,
    platform: Here,
    body: Annotated[RunOverrides | None, Field(description="Nothing for all as it is kept")] = None,
) -> CreatedTest:
    """Create a test from a template. Like every created test it waits, when it is ready, to be
    started."""
    async with platform.database.session() as session:
        template = await templates.get(session, template_id, caller.organisation_id)
    overrides = {} if body is None else body.model_dump(exclude_none=True)
    test = await creation.create(platform, caller, templates.plan_of(template, overrides))
    return CreatedTest(test_id=test.id, status=test.status)


def _shown(template: Template) -> ShownTemplate:
    return ShownTemplate(**_fields(template), script_content=template.script_content)


def _fields(template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.name,
        "description": template.description,
        "workers": template.workers,
        "duration_seconds": template.duration_seconds,
        "region": template.region,
        "created_at": timestamp(template.created_at),
        "updated_at": timestamp(template.updated_at),
    }
