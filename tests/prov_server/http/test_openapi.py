"""The OpenAPI document: whole, well-formed, and true of what the server answers."""

import pytest
from jsonschema import Draft202012Validator

from prov_server.http.openapi import document
from prov_tools.registry import REGISTRY

pytestmark = pytest.mark.anyio


def walk(value, path=()):
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*path, index))


def operations(doc):
    return [(path, method, operation) for path, item in doc["paths"].items() for method, operation in item.items()]


@pytest.fixture
def doc():
    return document(REGISTRY, read_only=False)


def test_every_tool_of_the_product_is_a_path_with_its_own_schemas_and_example(doc):
    for tool in REGISTRY:
        post = doc["paths"][f"/api/v1/tools/{tool.name}"]["post"]
        body = post["requestBody"]["content"]["application/json"]
        assert body["schema"] == tool.input_schema
        assert post["responses"]["200"]["content"]["application/json"]["schema"] == tool.output_schema
        assert post["tags"] == [tool.toolset]
        if tool.example:
            Draft202012Validator(tool.input_schema).validate(body["example"])


def test_every_schema_in_it_is_json_schema_2020_12(doc):
    schemas = [value for path, value in walk(doc) if path and path[-1] == "schema"]
    schemas += doc["components"]["schemas"].values()
    assert len(schemas) > 20
    for schema in schemas:
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own(doc):
    for _, value in walk(doc):
        if isinstance(value, dict) and "$ref" in value:
            target = doc
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
    names = [operation["operationId"] for _, _, operation in operations(doc)]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in doc["tags"]}
    for _, _, operation in operations(doc):
        assert set(operation["tags"]) <= tags
        assert "200" in operation["responses"]


def test_the_document_has_the_fields_that_openapi_3_1_requires(doc):
    assert doc["openapi"].startswith("3.1.")
    assert doc["info"]["title"]
    assert doc["info"]["version"]
    for path, method, operation in operations(doc):
        assert path.startswith("/")
        assert method in {"get", "post"}
        for response in operation["responses"].values():
            assert "$ref" in response or response["description"]
    for response in doc["components"]["responses"].values():
        assert response["description"]
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}


def test_in_read_only_mode_only_tools_that_may_run_in_it_are_there():
    paths = document(REGISTRY, read_only=True)["paths"]
    for tool in REGISTRY:
        assert (f"/api/v1/tools/{tool.name}" in paths) == tool.runs_in_read_only


async def test_the_server_answers_as_its_own_document_says(start):
    async with start() as served:
        doc = (await served.client.get("/api/v1/openapi.json")).json()
        error = Draft202012Validator(doc["components"]["schemas"]["Error"])
        for path, method, operation in operations(doc):
            name = path.rsplit("/", 1)[-1]
            if name in {"wait", "breaks"} and method == "post":
                continue
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            answer = await served.client.request(method.upper(), path, json=content.get("example"))
            responses = operation["responses"]
            assert str(answer.status_code) in responses, (method, path)
            if answer.status_code == 200 and "application/json" in responses["200"]["content"]:
                schema = dict(responses["200"]["content"]["application/json"]["schema"], components=doc["components"])
                Draft202012Validator(schema).validate(answer.json())
            anonymous = await served.client.request(method.upper(), path, headers={"Authorization": ""})
            is_open = operation.get("security") == []
            assert anonymous.status_code == (200 if is_open else 401), path
            if not is_open:
                error.validate(anonymous.json())
        failed = await served.call("breaks")
        error.validate(failed.json())
        assert str(failed.status_code) in doc["paths"]["/api/v1/tools/breaks"]["post"]["responses"]


async def test_every_code_that_an_error_can_have_is_listed(doc):
    codes = doc["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"]
    assert {"invalid_input", "not_found", "internal", "unauthenticated", "request_too_large", "misdirected_request"} <= set(codes)
    statuses = {int(name.removeprefix("Error")) for name in doc["components"]["responses"]}
    assert {400, 401, 403, 404, 405, 413, 421, 422, 429, 500, 502, 503} <= statuses
