"""``get_anthropic()`` and its Bedrock and Vertex variants: Anthropic's own clients, their calls recorded.

anthropic 0, 1 and 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._sdk import instrumented_pair

if TYPE_CHECKING:
    import anthropic

    from ._sdk import Constructor

    # What a type checker and an editor know of the returned classes: Anthropic's clients, and our constructor.
    class _Anthropic(Constructor, anthropic.Anthropic): ...

    class _AsyncAnthropic(Constructor, anthropic.AsyncAnthropic): ...

    class _AnthropicBedrock(Constructor, anthropic.AnthropicBedrock): ...

    class _AsyncAnthropicBedrock(Constructor, anthropic.AsyncAnthropicBedrock): ...

    class _AnthropicVertex(Constructor, anthropic.AnthropicVertex): ...

    class _AsyncAnthropicVertex(Constructor, anthropic.AsyncAnthropicVertex): ...


def get_anthropic() -> tuple[type[_Anthropic], type[_AsyncAnthropic]]:
    """``(Anthropic, AsyncAnthropic)``, subclasses of anthropic's own that record their calls.

    Constructors and methods take the same additional keywords as those of `amplitude_ai.get_openai`.

    Raises:
        ImportError: anthropic is not installed.
    """
    return instrumented_pair("anthropic", "Anthropic", "AsyncAnthropic")


def get_anthropic_bedrock() -> tuple[type[_AnthropicBedrock], type[_AsyncAnthropicBedrock]]:
    """``(AnthropicBedrock, AsyncAnthropicBedrock)``: Claude on Amazon Bedrock (``pip install anthropic[bedrock]``).

    Constructors and methods take the same additional keywords as those of `amplitude_ai.get_openai`.

    Raises:
        ImportError: anthropic is not installed.
    """
    return instrumented_pair("anthropic", "AnthropicBedrock", "AsyncAnthropicBedrock")


def get_anthropic_vertex() -> tuple[type[_AnthropicVertex], type[_AsyncAnthropicVertex]]:
    """``(AnthropicVertex, AsyncAnthropicVertex)``: Claude on Google Cloud (``pip install anthropic[vertex]``).

    Constructors and methods take the same additional keywords as those of `amplitude_ai.get_openai`.

    Raises:
        ImportError: anthropic is not installed.
    """
    return instrumented_pair("anthropic", "AnthropicVertex", "AsyncAnthropicVertex")
