"""The JSON schema of ``options``, for editors and for whoever generates scripts."""

from typing import Any

from pydantic import AliasChoices, BaseModel

from fusillade.script.options import Options, ScenarioOptions, StageOptions

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOT_BELOW = ("default", "examples", "enum")


def options_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. Each option stands under its main name, with unit and default; its other
    spellings are properties that say whose they are."""
    schema = Options.model_json_schema()
    _tidy(schema)
    _add_spellings(Options, schema)
    for model in (ScenarioOptions, StageOptions):
        _add_spellings(model, schema["$defs"][model.__name__])
    return {"$schema": DIALECT, "title": "options", **schema}


def _tidy(part: Any) -> None:
    """Titles that only repeat names go, and null where it only says that an option may be left
    out; descriptions become one line of Markdown."""
    if isinstance(part, list):
        for item in part:
            _tidy(item)
    elif isinstance(part, dict):
        if isinstance(part.get("title"), str):
            del part["title"]
        if isinstance(part.get("description"), str):
            part["description"] = " ".join(part["description"].split()).replace("``", "`")
        if part.get("default", ...) is None and "anyOf" in part:
            del part["default"]
            kinds = [kind for kind in part.pop("anyOf") if kind != {"type": "null"}]
            part |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        for key, item in part.items():
            if key not in _NOT_BELOW:
                _tidy(item)


def _add_spellings(model: type[BaseModel], schema: dict[str, Any]) -> None:
    properties = schema["properties"]
    for info in model.model_fields.values():
        if isinstance(info.validation_alias, AliasChoices):
            main, *others = (str(choice) for choice in info.validation_alias.choices)
            for other in others:
                same = {k: v for k, v in properties[main].items() if k != "default"}
                properties[other] = same | {"description": f"Another spelling of `{main}`."}
