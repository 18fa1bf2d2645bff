"""The OpenAPI document, read as a client generator reads it: a word that JSON Schema does not know
promises nothing, and is passed over without a sound."""

from collections.abc import Iterator
from typing import Any

import httpx

pytest_plugins = ["site_on_stage"]

# JSON Schema 2020-12, core and validation, with OpenAPI 3.1's own (section 4.8.24), as far as
# something uses them; their values are no schemas.
PLAIN = {
    "$ref",
    "const",
    "default",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "contentEncoding",
    "contentMediaType",
    "deprecated",
}
OF_ONE = {"additionalProperties", "contains", "items", "not", "propertyNames"}
OF_MANY = {"allOf", "anyOf", "oneOf", "prefixItems"}
OF_NAMED = {"$defs", "patternProperties", "properties"}


def strange(schema: Any, place: str) -> Iterator[str]:
    """The words of a schema, and of those within it, that JSON Schema does not know."""
    if isinstance(schema, bool):
        return
    for word, value in schema.items():
        here = f"{place}/{word}"
        if word in OF_ONE:
            yield from strange(value, here)
        elif word in OF_MANY:
            for number, one in enumerate(value):
                yield from strange(one, f"{here}/{number}")
        elif word in OF_NAMED:
            for name, one in value.items():
                yield from strange(one, f"{here}/{name}")
        elif word not in PLAIN:
            yield f"{here}: {value!r}"


def schemas(part: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Where the document has schemas: those with a name, and those under the word `schema`."""
    if isinstance(part, list):
        for number, one in enumerate(part):
            yield from schemas(one, f"{place}/{number}")
    elif isinstance(part, dict):
        for word, value in part.items():
            here = f"{place}/{word}"
            if here == "/components/schemas":
                yield from ((f"{here}/{name}", one) for name, one in value.items())
            elif word == "schema":
                yield here, value
            else:
                yield from schemas(value, here)


def test_every_limit_is_told_in_words_of_json_schema(client: httpx.Client) -> None:
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1.")
    found = list(schemas(document))
    assert len(found) > 100
    assert [one for place, schema in found for one in strange(schema, place)] == []


def test_a_word_of_pydantic_s_is_found() -> None:
    schema = {"properties": {"ge": {"anyOf": [{"type": "integer", "ge": 1}]}}}
    assert list(strange(schema, "")) == ["/properties/ge/anyOf/0/ge: 1"]
