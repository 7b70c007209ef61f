"""What the gateways' tests tell pytest."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: left out of `make test`; see `make test-all`")
