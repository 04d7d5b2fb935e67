"""Answers that are fetched later, and requests that change what there is: when they are calls of a model."""

from dataclasses import replace

import pytest

from amplitude_ai.parsers._read import read
from amplitude_ai.sessions._duplicates import DuplicateFilter

from .fixtures._wire import Example

RUN = "https://api.openai.com/v1/threads/thread_1/runs"
DEFERRED = "https://api.x.ai/v1/chat/deferred-completion/d1"
ASK = {"model": "grok-4", "messages": [{"role": "user", "content": "Hi"}], "deferred": True}
CHAT = {"id": "c1", "model": "grok-4", "choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
CALLS = [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"q":1}'}}]


def told(method, url, answer, request=None, status=200):
    """The call that an exchange is."""
    found = Example("x", url, request or {}, answer, {}, status=status).exchange()
    return read(replace(found, method=method, request_body=found.request_body if method == "POST" else None))


def run(status, **more):
    """A run as it is polled."""
    return {"id": "run_1", "object": "thread.run", "model": "gpt-4o", "status": status, "usage": None, **more}


@pytest.mark.parametrize("status", ["queued", "in_progress", "cancelling"])
def test_a_run_that_is_polled(status):
    """While it runs, asking is no call."""
    assert told("GET", f"{RUN}/run_1", run(status)) is None


def test_a_run_that_wants_its_tools():
    """A poll that finds ``requires_action`` tells the tool calls."""
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": CALLS}}
    call = told("GET", f"{RUN}/run_1", run("requires_action", required_action=action))
    assert [(tool.name, tool.id, tool.arguments) for tool in call.tool_calls] == [("look", "call_1", {"q": 1})]


def test_a_run_that_has_ended():
    """Its end has the counts, the cached ones in the singular."""
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "total_tokens": 11,
        "prompt_token_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    call = told("GET", f"{RUN}/run_1", run("completed", usage=usage))
    assert (call.usage.input_tokens, call.usage.cached_input_tokens, call.usage.reasoning_tokens) == (9, 4, 1)


@pytest.mark.parametrize("tail", ["", "/cancel"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_run_that_is_changed(tail, status):
    """Modifying and cancelling a run is no call."""
    assert told("POST", f"{RUN}/run_1{tail}", run("completed"), {"metadata": {}}, status) is None


def test_a_run_that_gets_its_results():
    """Submitting is a call: the model goes on."""
    body = {"tool_outputs": [{"tool_call_id": "call_1", "output": "sun"}]}
    call = told("POST", f"{RUN}/run_1/submit_tool_outputs", run("queued"), body)
    assert [(result.id, result.content) for result in call.tool_results] == [("call_1", "sun")]


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_response_that_is_polled(status):
    """The same of a response in the background; its POST is a call."""
    answer = {"id": "resp_1", "object": "response", "status": status}
    assert told("GET", "https://api.openai.com/v1/responses/resp_1", answer) is None
    assert told("POST", "https://api.openai.com/v1/responses", answer, {"model": "m", "input": "Hi"}) is not None


def test_deferred():
    """xAI's POST gives an id and is no call yet; the GET that finds the answer is, the ones before are not."""
    assert told("POST", "https://api.x.ai/v1/chat/completions", {"request_id": "d1"}, ASK) is None
    assert told("GET", DEFERRED, {}, status=202) is None
    call = told("GET", DEFERRED, {**CHAT, "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
    assert (call.output_text, call.usage.output_tokens, call.operation, call.provider) == ("Hello", 2, "chat", "xai")


def test_deferred_and_refused():
    """A POST that is refused is a call that failed."""
    call = told("POST", "https://api.x.ai/v1/chat/completions", {"error": "No credits", "code": "x"}, ASK, status=403)
    assert call.error.message == "No credits"


def test_perplexitys_deferred():
    """The same by other words: the answer is inside."""
    url = "https://api.perplexity.ai/async/chat/completions"
    assert told("POST", url, {"id": "a1", "status": "CREATED", "response": None}, {"request": ASK}) is None
    assert told("GET", f"{url}/a1", {"id": "a1", "status": "IN_PROGRESS", "response": None}) is None
    answer = {**CHAT, "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
    call = told("GET", f"{url}/a1", {"id": "a1", "status": "COMPLETED", "response": answer})
    assert (call.output_text, call.usage.output_tokens, call.provider) == ("Hello", 2, "perplexity")


def test_perplexitys_deferred_that_failed():
    """Its end is a call that failed, with the reason it tells."""
    body = {"id": "a1", "status": "FAILED", "error_message": "Too long", "response": None}
    call = told("GET", "https://api.perplexity.ai/async/chat/completions/a1", body)
    assert (call.error.type, call.error.message) == ("failed", "Too long")


OPERATION = "https://operation.api.cloud.yandex.net/operations/o1"
ANSWERED = {
    "alternatives": [{"message": {"role": "assistant", "text": "Hello"}, "status": "ALTERNATIVE_STATUS_FINAL"}],
    "usage": {"inputTextTokens": "3", "completionTokens": "2", "totalTokens": "5"},
}


def test_yandexs_operations():
    """What was asked for with ``completionAsync`` is a call when it is there, and not before."""
    url = "https://llm.api.cloud.yandex.net/foundationModels/v1/completionAsync"
    asked = {"modelUri": "gpt://f1/yandexgpt", "messages": [{"role": "user", "text": "Hi"}]}
    assert told("POST", url, {"id": "o1", "done": False}, asked) is None
    assert told("GET", OPERATION, {"id": "o1", "done": False}) is None
    call = told("GET", OPERATION, {"id": "o1", "done": True, "response": ANSWERED})
    assert (call.output_text, call.usage.output_tokens, call.operation) == ("Hello", 2, "chat")
    assert (call.provider, call.response_id) == ("yandex", "o1")


def test_an_image_of_yandexs():
    """The same door has images."""
    call = told("GET", OPERATION, {"id": "o1", "done": True, "response": {"image": "AAAA"}})
    assert (call.operation, call.output_text) == ("image", "[image 3 B]")


def test_an_operation_that_failed():
    """Its end has an error, of which the code is that of gRPC; whose operation it was, nobody says."""
    assert told("GET", OPERATION, {"id": "o1", "done": True, "error": {"code": 3, "message": "No."}}) is None


def test_other_operations_of_the_cloud():
    """A disk that was made is no answer."""
    assert told("GET", OPERATION, {"id": "o1", "done": True, "response": {"id": "disk-1"}}) is None


def test_an_id_alone_defers_nothing():
    """An answer without choices that nobody asked to be deferred is a call with an odd answer."""
    body = {"model": "m", "messages": ASK["messages"]}
    assert told("POST", "https://api.x.ai/v1/chat/completions", {"request_id": "d1"}, body) is not None


ASYNC = "https://open.bigmodel.cn/api/paas/v4"


def test_a_task_that_is_fetched():
    """Z.ai's POST gives an id, the GETs find it at work and then its answer; a video is another door's."""
    task = {"id": "t1", "model": "glm-4.6", "task_status": "PROCESSING"}
    ask = {"model": "glm-4.6", "messages": [{"role": "user", "content": "Hi"}]}
    assert told("POST", f"{ASYNC}/async/chat/completions", task, ask) is None
    assert told("GET", f"{ASYNC}/async-result/t1", task) is None
    answer = {**task, "task_status": "SUCCESS", "choices": CHAT["choices"], "usage": {"prompt_tokens": 7}}
    call = told("GET", f"{ASYNC}/async-result/t1", answer)
    assert (call.output_text, call.usage.input_tokens, call.provider) == ("Hello", 7, "zhipu")
    failed = told("GET", f"{ASYNC}/async-result/t1", {**task, "task_status": "FAIL"})
    assert failed.error.type == "fail"
    video = {**task, "task_status": "SUCCESS", "video_result": [{"url": "https://x.example/v.mp4"}]}
    assert told("GET", f"{ASYNC}/async-result/t1", video) is None


@pytest.mark.parametrize("url", [DEFERRED, f"{ASYNC}/async-result/t1"])
def test_an_answer_that_is_fetched_twice(url):
    """The second time it is no news, whether it says what it cost or not."""
    answers, exchanges = DuplicateFilter(), []
    for _ in range(2):
        found = Example("x", url, {}, CHAT, {}).exchange()
        exchanges.append(replace(found, method="GET", request_body=None))
    assert [answers.is_duplicate(read(one), one) for one in exchanges] == [False, True]


@pytest.mark.parametrize("status", ["FAIL", "FAILED"])
def test_a_task_that_failed(status):
    """Z.ai's and Perplexity's words for it, with the reason where one is told; what is not there yet is none."""
    url = "https://api.z.ai/api/paas/v4/async-result/t1"
    call = told("GET", url, {"id": "t1", "task_status": status, "error_message": "No"})
    assert (call.error.type, call.error.message) == (status.lower(), "No")
    assert told("GET", url, {"id": "t1", "task_status": "PROCESSING"}) is None
    assert told("GET", url, {"id": "t1", "task_status": "SUCCESS", "video_result": []}) is None
