"""An adapter of requests as people write them for tests and mocks: its response is a plain file."""

import io

import requests


class Filed(requests.adapters.BaseAdapter):
    """Answers everything with ``body``."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def send(self, request, **kwargs):
        """One answer."""
        response = requests.Response()
        response.status_code, response.raw, response.url, response.request = 200, io.BytesIO(self.body), "x", request
        return response

    def close(self):
        """Nothing is open."""
