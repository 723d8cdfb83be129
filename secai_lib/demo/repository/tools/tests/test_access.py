"""Tests of the access codes."""

from nestbox_tools import access


def test_length():
    """A technician's token has the length that was asked for."""
    assert len(access.technician_token(20)) == 20


class FakeServer:
    """Looks like a web client, is none."""

    def get(self, path):
        """Answer any path."""
        return path


def test_look_alike():
    """This is a call of the fake above and no route."""
    assert FakeServer().get("/not/a/route") == "/not/a/route"
