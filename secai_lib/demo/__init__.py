"""The bundled sample repository and the reports that go with it: data, no code of ours."""
