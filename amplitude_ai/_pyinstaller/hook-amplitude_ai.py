"""Pack all of this package, and of other people's only what the application has by itself."""

from __future__ import annotations

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

#: The page, the command line and the tests' plugin are not for applications.
_TOOLS = ("amplitude_ai.cli", "amplitude_ai.page", "amplitude_ai.pytest_plugin", "amplitude_ai._pyinstaller")

hiddenimports = collect_submodules("amplitude_ai", filter=lambda name: not name.startswith(_TOOLS))
datas = [*collect_data_files("genai_prices"), *copy_metadata("amplitude-ai-wire")]
#: What a leaf, a client or a web framework's middleware of ours imports is there when the application imports it too.
excludedimports = [
    "aiohttp",
    "anthropic",
    "asgiref",
    "celery",
    "django",
    "google",
    "httpx",
    "httpx2",
    "jinja2",
    "langchain_core",
    "markupsafe",
    "openai",
    "opentelemetry",
    "pyarrow",
    "pydantic_ai",
    "pytest",
    "requests",
    "rich",
    "starlette",
    "tiktoken",
    "typer",
    "uvicorn",
    "yaml",
    "yarl",
]
