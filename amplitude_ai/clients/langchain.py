"""``get_langchain()``: LangChain's calls, recorded from the wire and told by its callbacks what they are a part of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._sdk import import_sdk

if TYPE_CHECKING:
    from ._langchain import AmplitudeLangChainCallback


def get_langchain() -> type[AmplitudeLangChainCallback]:
    """``AmplitudeLangChainCallback``, a LangChain callback handler for any component, sync and async.

    ``AmplitudeLangChainCallback(amplitude_client=..., ai_config=..., user_id=...)`` goes into ``callbacks=[...]`` of a
    model, a chain, an agent or one call. Models that send HTTP are recorded from the wire, once, whatever else watches
    it; others (fake, local) from what the callback is told. Events carry ``langchain_run_id``, ``langchain_run_name``,
    ``langchain_parent_run_id`` and ``langchain_root_run_id``. Tools and retrievers are told as ``tool_called``.

    Raises:
        ImportError: langchain-core is not installed.
    """
    import_sdk("langchain_core.callbacks", "langchain-core")
    from ._langchain import AmplitudeLangChainCallback

    return AmplitudeLangChainCallback
