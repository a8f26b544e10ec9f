"""OpenAPI."""

from drf_spectacular.openapi import AutoSchema


class ContractSchema(AutoSchema):
    """Adds what every endpoint of the contract has."""
