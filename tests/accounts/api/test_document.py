"""What the OpenAPI document says of section 1."""

from __future__ import annotations

from drf_spectacular.generators import SchemaGenerator


def test_both_headers_and_the_public_endpoints():
    schema = SchemaGenerator().get_schema(request=None, public=True)
    schemes = schema["components"]["securitySchemes"]
    assert (schemes["Bearer"]["type"], schemes["Bearer"]["scheme"]) == ("http", "bearer")
    assert (schemes["ApiKey"]["in"], schemes["ApiKey"]["name"]) == ("header", "X-API-Key")
    paths = schema["paths"]
    assert paths["/api/api-keys/"]["get"]["security"] == [{"Bearer": []}, {"ApiKey": []}]
    for public in ("register", "login"):
        assert paths[f"/api/{public}/"]["post"]["security"] == [{}]
    for path in ("/api/register/", "/api/login/", "/api/api-keys/"):
        content = paths[path]["post"]["requestBody"]["content"]["application/json"]
        assert content["examples"]
