"""Sorted photos, as the API shows them."""

from server.api.resources.resource import Resource


class SortingResource(Resource):
    """Photos without a class that a model sorts."""

    id: str
    """Opaque id."""

    url: str
    """Address of their page, where they are corrected, downloaded and added to the data set."""

    name: str
    """What people call them."""
