"""What stands in a prompt beside words, in each format: described with its kind, type and size, and never carried."""

import base64

import pytest

from amplitude_ai.parsers._media import describe, describe_base64, describe_url
from amplitude_ai.parsers._read import read

from .fixtures._wire import Example

OPENAI = "https://api.openai.com/v1"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
INTERACTIONS = "https://generativelanguage.googleapis.com/v1beta/interactions"
CONVERSE = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"
#: 2,100 bytes.
DATA = base64.b64encode(b"\x00\xff\x10" * 700).decode()
URL = f"data:image/png;base64,{DATA}"
ELSEWHERE = "https://example.com/a?signature=secret"


def prompt(url, body):
    """The turns of a request, answered with nothing."""
    call = read(Example("x", url, {"model": "m", **body}, {}, {}).exchange())
    return [(turn.role, turn.text) for turn in call.messages]


def part(kind, **more):
    return {"type": kind, **more}


#: What a format calls it -> the part, and what is said of it.
CHAT = {
    "text": (part("text", text="Look"), "Look"),
    "a bare text": ("Look", "Look"),
    "a refusal": (part("refusal", refusal="I can't."), "I can't."),
    "image, data": (part("image_url", image_url={"url": URL}), "[image image/png 2 KB]"),
    "image, elsewhere": (part("image_url", image_url={"url": ELSEWHERE}), "[image url]"),
    "image, Mistral's flat address": (part("image_url", image_url=ELSEWHERE), "[image url]"),
    "image, nothing": (part("image_url"), "[image]"),
    "audio": (part("input_audio", input_audio={"data": DATA, "format": "wav"}), "[audio audio/wav 2 KB]"),
    "audio, no format": (part("input_audio", input_audio={"data": DATA}), "[audio 2 KB]"),
    "audio, Mistral's": (part("input_audio", input_audio=DATA), "[audio 2 KB]"),
    "video": (part("video_url", video_url={"url": ELSEWHERE}), "[video url]"),
    "file, named": (part("file", file={"filename": "a.pdf", "file_data": URL}), "[file a.pdf]"),
    "file, a data address": (part("file", file={"file_data": f"data:application/pdf;base64,{DATA}"}),
                             "[file application/pdf 2 KB]"),
    "file, data": (part("file", file={"file_data": DATA}), "[file 2 KB]"),
    "file, an id": (part("file", file={"file_id": "f-1"}), "[file]"),
    "document, Mistral's": (part("document_url", document_url=ELSEWHERE, document_name="a.pdf"), "[file a.pdf]"),
    "what nobody knows": (part("hologram", data="x"), "[hologram]"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAT)
def test_chat(name):
    """openai ``ChatCompletionContentPartParam``, and Mistral's chunks."""
    given, said = CHAT[name]
    assert prompt(f"{OPENAI}/chat/completions", {"messages": [{"role": "user", "content": [given]}]}) == [
        ("user", said)
    ]


@pytest.mark.parametrize("kind", ["thinking", "reasoning", "reasoning_text"])
def test_thoughts_in_a_history_are_nothing_said(kind):
    """They were nobody's words to anybody."""
    turns = [{"role": "assistant", "content": [part(kind, text="Hm."), part("text", text="Yes.")]}]
    assert prompt(f"{OPENAI}/chat/completions", {"messages": turns}) == [("assistant", "Yes.")]


RESPONSES = {
    "text": (part("input_text", text="Look"), "Look"),
    "image": (part("input_image", image_url=URL), "[image image/png 2 KB]"),
    "image, an id": (part("input_image", file_id="f-1"), "[image]"),
    "file, data": (part("input_file", file_data=DATA), "[file 2 KB]"),
    "file, named": (part("input_file", file_data=DATA, filename="a.pdf"), "[file a.pdf]"),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_responses(name):
    """openai ``ResponseInputContent``."""
    given, said = RESPONSES[name]
    assert prompt(f"{OPENAI}/responses", {"input": [{"role": "user", "content": [given]}]}) == [("user", said)]


def test_the_turns_of_responses():
    """``instructions``, turns of each role, calls and their results, in the order in which they stand."""
    given = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Weather?"},
        {"type": "function_call", "name": "look", "call_id": "c1", "arguments": "{}"},
        {"type": "web_search_call", "id": "w1"},
        {"type": "function_call_output", "call_id": "c1", "output": "Sunny", "status": "failed"},
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "It is sunny."}]},
    ]
    turns = prompt(f"{OPENAI}/responses", {"instructions": "Be brief.", "input": given})
    assert turns == [
        ("system", "Be brief."),
        ("system", "Be kind."),
        ("user", "Weather?"),
        ("assistant", ""),
        ("tool", "Sunny"),
        ("assistant", "It is sunny."),
    ]


CLAUDE = {
    "text": (part("text", text="Look"), "Look"),
    "a bare text": ("Look", "Look"),
    "image": (part("image", source=part("base64", media_type="image/png", data=DATA)), "[image image/png 2 KB]"),
    "image, elsewhere": (part("image", source=part("url", url=ELSEWHERE)), "[image url]"),
    "image, an id": (part("image", source=part("file", file_id="f-1")), "[image]"),
    "document": (part("document", source=part("base64", media_type="application/pdf", data=DATA)),
                 "[document application/pdf 2 KB]"),
    "document, text": (part("document", title="a.txt", source=part("text", media_type="text/plain", data="é" * 10)),
                       "[document text/plain a.txt 20 B]"),
    "document, blocks": (part("document", source=part("content", content=[part("text", text="Look")])), "Look"),
    "document, no blocks": (part("document", source=part("content", content=[])), "[document]"),
    "document, elsewhere": (part("document", title="A", source=part("url", url=ELSEWHERE)), "[document url A]"),
    "a search result": (part("search_result", content=[part("text", text="Found")]), "Found"),
    "an empty search result": (part("search_result", content=[]), "[search_result]"),
    "an upload": (part("container_upload", file_id="f-1"), "[file]"),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAUDE)
def test_claude(name):
    """anthropic ``types/content_block_param.py``."""
    given, said = CLAUDE[name]
    turns = [{"role": "user", "content": [given, part("thinking", thinking="Hm.")]}]
    assert prompt("https://api.anthropic.com/v1/messages", {"messages": turns}) == [("user", said)]


def test_the_turns_of_claude():
    """``system``; a turn of results alone is a tool's, one with words beside them a person's."""
    result = part("tool_result", tool_use_id="t1", content=[part("text", text="Sunny")])
    turns = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [part("tool_use", id="t1", name="look", input={})]},
        {"role": "user", "content": [result]},
        {"role": "user", "content": [result, part("text", text="Well?")]},
        {"role": "tomato", "content": "?"},
        {"content": "nobody's"},
    ]
    body = {"system": [part("text", text="Be brief.")], "messages": turns}
    assert prompt("https://api.anthropic.com/v1/messages", body) == [
        ("system", "Be brief."),
        ("user", "Weather?"),
        ("assistant", ""),
        ("tool", "Sunny"),
        ("user", "Sunny\nWell?"),
        ("system", "?"),
    ]


GOOGLE = {
    "text": ({"text": "Look"}, "Look"),
    "image": ({"inlineData": {"mimeType": "image/png", "data": DATA}}, "[image image/png 2 KB]"),
    "image, snake_case": ({"inline_data": {"mime_type": "image/png", "data": DATA}}, "[image image/png 2 KB]"),
    "sound": ({"inlineData": {"mimeType": "audio/wav", "data": DATA}}, "[audio audio/wav 2 KB]"),
    "video": ({"fileData": {"mimeType": "video/mp4", "fileUri": ELSEWHERE}}, "[video video/mp4]"),
    "file": ({"fileData": {"mimeType": "application/pdf", "fileUri": ELSEWHERE}}, "[file application/pdf]"),
    "file of no type": ({"file_data": {"file_uri": ELSEWHERE}}, "[file]"),
}


@pytest.mark.parametrize("name", GOOGLE)
def test_gemini(name):
    """google-genai ``types.Part``, in both spellings; thoughts are nothing said."""
    given, said = GOOGLE[name]
    body = {"contents": [{"role": "user", "parts": [given, {"text": "Hm.", "thought": True}]}]}
    assert prompt(GEMINI, body) == [("user", said)]


@pytest.mark.parametrize(
    "contents",
    ["Look", ["Look"], {"parts": [{"text": "Look"}]}, [{"parts": {"text": "Look"}}]],
    ids=["text", "texts", "one content", "one part"],
)
def test_geminis_contents(contents):
    """REST wants a list of contents with lists of parts, and gateways take less."""
    body = {"contents": contents, "system_instruction": "Be brief."}
    assert prompt(GEMINI, body) == [("system", "Be brief."), ("user", "Look")]


STEPS = {
    "text": (part("text", text="Look"), "Look"),
    "image": (part("image", mime_type="image/png", data=DATA), "[image image/png 2 KB]"),
    "document, elsewhere": (part("document", mime_type="application/pdf", uri=ELSEWHERE), "[document application/pdf]"),
    "sound": (part("audio", mime_type="audio/wav", data=DATA), "[audio audio/wav 2 KB]"),
    "video": (part("video", uri=ELSEWHERE), "[video]"),
}


@pytest.mark.parametrize("name", STEPS)
def test_interactions(name):
    """A content, a list of contents, a turn, a step: all of them are what a person said."""
    given, said = STEPS[name]
    for body in (given, [given], [{"role": "user", "content": [given]}], [part("user_input", content=[given])]):
        assert prompt(INTERACTIONS, {"input": body}) == [("user", said)]
    two = prompt(INTERACTIONS, {"input": [given, part("text", text="Well?")], "system_instruction": "Be brief."})
    assert two == [("system", "Be brief."), ("user", f"{said}\nWell?")]


def test_the_turns_of_interactions():
    """What the model said, and what a tool gave."""
    given = [
        part("user_input", content="Weather?"),
        {"role": "model", "content": "Wait."},
        part("model_output", content=[part("text", text="Let me look.")]),
        part("function_call", id="c1", name="look", arguments={}),
        part("function_result", call_id="c1", name="look", result="Sunny", is_error=True),
    ]
    call = read(Example("x", INTERACTIONS, {"model": "m", "input": given}, {}, {}).exchange())
    assert [(turn.role, turn.text) for turn in call.messages] == [
        ("user", "Weather?"),
        ("assistant", "Wait."),
        ("assistant", "Let me look."),
        ("tool", "Sunny"),
    ]
    (result,) = call.tool_results
    assert (result.id, result.content, result.name, result.success) == ("c1", "Sunny", "look", False)


BLOCKS = {
    "text": ({"text": "Look"}, "Look"),
    "image": ({"image": {"format": "png", "source": {"bytes": DATA}}}, "[image png 2 KB]"),
    "image in S3": ({"image": {"format": "png", "source": {"s3Location": {"uri": "s3://a/b"}}}}, "[image png]"),
    "document": ({"document": {"format": "pdf", "name": "a", "source": {"bytes": DATA}}}, "[document pdf a]"),
    "video": ({"video": {"format": "mp4", "source": {"bytes": DATA}}}, "[video mp4 2 KB]"),
    "guarded": ({"guardContent": {"text": {"text": "Look"}}}, "Look"),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_converse(name):
    """The content blocks of Converse."""
    given, said = BLOCKS[name]
    body = {"system": [{"text": "Be brief."}], "messages": [{"role": "user", "content": [given]}]}
    assert prompt(CONVERSE, body) == [("system", "Be brief."), ("user", said)]


def test_results_of_converse():
    """One JSON value as it is, else text; a turn of results alone is a tool's."""
    results = [
        {"toolResult": {"toolUseId": "t1", "content": [{"json": {"a": 1}}]}},
        {"toolResult": {"toolUseId": "t2", "content": [{"text": "no"}, {"text": "such"}], "status": "error"}},
        {"toolResult": {"toolUseId": "t3", "content": [{"json": {"a": 1}}, {"text": "more"}]}},
    ]
    body = {"messages": [{"role": "user", "content": results}, {"role": "user", "content": [*results, {"text": "Go"}]}]}
    call = read(Example("x", CONVERSE, body, {}, {}).exchange())
    assert [turn.role for turn in call.messages] == ["tool", "user"]
    told = [(one.id, one.content, one.success) for one in call.tool_results[:3]]
    assert told == [("t1", {"a": 1}, None), ("t2", "no\nsuch", False), ("t3", "more", None)]


@pytest.mark.parametrize(
    ("url", "body", "turns"),
    [
        ("http://localhost:11434/api/chat", {"messages": [{"role": "user", "content": "Look", "images": [DATA, DATA]}]},
         [("user", "Look\n[image 2 KB]\n[image 2 KB]")]),
        ("http://localhost:11434/api/chat", {"messages": [{"role": "user", "content": "", "images": [DATA]}]},
         [("user", "[image 2 KB]")]),
        ("http://localhost:11434/api/generate", {"system": "Be brief.", "prompt": "Look", "images": [DATA]},
         [("system", "Be brief."), ("user", "Look\n[image 2 KB]")]),
        ("http://localhost:11434/api/embed", {"input": ["a", "b"]}, [("user", "a"), ("user", "b")]),
        ("http://localhost:1234/api/v1/chat", {"system_prompt": "Be brief.", "input": "Look"},
         [("system", "Be brief."), ("user", "Look")]),
        ("http://localhost:1234/api/v1/chat",
         {"input": [part("message", content="Look"), part("image", data_url=URL)]},
         [("user", "Look\n[image image/png 2 KB]")]),
        ("https://api.aleph-alpha.com/complete",
         {"prompt": [part("text", data="Look"), part("image", data=DATA), part("token_ids", data=[1])]},
         [("user", "Look\n[image]\n[token_ids]")]),
        ("https://api.mistral.ai/v1/ocr", {"document": part("document_url", document_url=ELSEWHERE)},
         [("user", "[document url]")]),
        ("https://api.mistral.ai/v1/ocr", {"document": part("document_url", document_url="x", document_name="a.pdf")},
         [("user", "[document a.pdf]")]),
        ("https://api.mistral.ai/v1/ocr", {"document": part("image_url", image_url={"url": URL})},
         [("user", "[image image/png 2 KB]")]),
        ("https://api.mistral.ai/v1/ocr", {"document": part("image_url", image_url=ELSEWHERE)},
         [("user", "[image url]")]),
        ("https://api.mistral.ai/v1/fim/completions", {"prompt": "def f(", "suffix": "return x"},
         [("user", "def f("), ("user", "return x")]),
        ("https://api.cohere.com/v1/chat",
         {"preamble": "Be brief.", "chat_history": [{"role": "CHATBOT", "message": "Hello"}], "message": "Look"},
         [("system", "Be brief."), ("assistant", "Hello"), ("user", "Look")]),
        (f"{OPENAI}/embeddings", {"input": [[1, 2], [3]]}, []),
        (f"{OPENAI}/moderations", {"input": [part("text", text="Look"), part("image_url", image_url={"url": URL})]},
         [("user", "Look"), ("user", "[image image/png 2 KB]")]),
        ("https://api.deepgram.com/v1/listen?model=nova-3", {"url": ELSEWHERE}, [("user", "[audio url]")]),
        ("https://api.replicate.com/v1/predictions", {"version": "v", "input": {"system_prompt": "S", "text": "Look"}},
         [("system", "S"), ("user", "Look")]),
        ("https://api.mistral.ai/v1/conversations", {"inputs": [{"role": "user", "content": "Look"}]},
         [("user", "Look")]),
        ("https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/meta/llama",
         {"messages": [{"role": "tool", "content": "18"}, {"content": "Look"}, {"role": "other", "content": "S"}]},
         [("tool", "18"), ("user", "Look"), ("system", "S")]),
        (f"{OPENAI}/threads/runs",
         {"assistant_id": "a", "instructions": "Be brief.", "thread": {"messages": [{"role": "user", "content": "Hi"}]},
          "additional_messages": [{"role": "assistant", "content": "Hello"}]},
         [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello")]),
    ],
)  # fmt: skip
def test_the_others(url, body, turns):
    """Each format's own names for the same."""
    assert prompt(url, body) == turns


def test_sizes():
    """Bytes, KB and MB; padding and line ends in a data address change nothing that is shown."""
    assert describe("file", size=0) == "[file 0 B]"
    assert describe("file", size=1023) == "[file 1023 B]"
    assert describe("file", size=1024) == "[file 1 KB]"
    assert describe("file", size=1024 * 1024 - 1) == "[file 1023 KB]"
    assert describe("file", size=1024 * 1024) == "[file 1.0 MB]"
    assert describe("file", size=1536 * 1024) == "[file 1.5 MB]"
    assert describe_base64("image", None, None) == "[image]"
    assert describe_base64("image", "image/png", "AAAA") == "[image image/png 3 B]"
    assert describe_url("image", "data:,AAAA") == "[image 3 B]"
    assert describe_url("image", "data:image/png;base64,AAAA") == "[image image/png 3 B]"
    assert describe_url("image", "data:image/png") == "[image image/png 0 B]"
