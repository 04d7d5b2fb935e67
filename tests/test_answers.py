"""What an answer may say besides its text, format by format: tools, counts, results, streams that were cut."""

import json
from dataclasses import replace

import pytest

from amplitude_ai.parsers._read import read

from .answers import DATA, OPENAI, TURNS, answered, delta, facts
from .fixtures._wire import Example, chunk

BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta"
COHERE = "https://api.cohere.com"
HELLO = {"output_text": "Hello!"}
CONVERSE = f"{BEDROCK}/m/converse"
OTHERS = {
    "completions, a chat's answer": (
        f"{OPENAI}/completions", {"choices": [{"message": {"content": "Hello!"}}]}, {}, "json", HELLO),
    "completions, the first": (
        f"{OPENAI}/completions",
        [{"choices": [{"index": 1, "text": "x"}, {"index": 0, "text": "Hello"}]}, {"choices": [{"index": 0,
          "text": "!"}]}],
        {}, "sse", {**HELLO, "complete": False}),
    "completions, at its end": (
        f"{OPENAI}/completions",
        [{"choices": [{"text": "Hello", "index": 0}]}, {"choices": [{"text": "!", "index": 0,
          "finish_reason": "stop"}]}],
        {}, "sse", {**HELLO, "finish_reason": "stop", "complete": True}),
    "images": (
        f"{OPENAI}/images/generations",
        {"output_format": "webp", "data": [{"b64_json": DATA}, {"url": "https://x.example"}, {}], "id": "i"},
          {"prompt": "A cat"},
        "json", {"output_text": "[image image/webp 2 KB]\n[image url]\n[image]", "response_id": None}),
    "an image, streamed": (
        f"{OPENAI}/images/generations",
        [("image_generation.partial_image", {"type": "image_generation.partial_image", "b64_json": DATA}),
         ("image_generation.completed", {"type": "image_generation.completed", "b64_json": DATA,
                                         "usage": {"input_tokens": 7, "output_tokens": 3}})],
        {"prompt": "A cat"}, "sse",
        {"output_text": "[image 2 KB]", "usage.input_tokens": 7, "complete": True}),
    "a transcription, streamed": (
        f"{OPENAI}/audio/transcriptions",
        [("transcript.text.delta", {"type": "transcript.text.delta", "delta": "Hel"}),
         ("transcript.text.delta", {"type": "transcript.text.delta", "delta": "lo!"}),
         ("transcript.text.done", {"type": "transcript.text.done", "text": "Hello!", "usage": {"input_tokens": 7}})],
        {}, "sse", {**HELLO, "usage.input_tokens": 7, "complete": True}),
    "a transcription, cut": (
        f"{OPENAI}/audio/transcriptions",
        [("transcript.text.delta", {"type": "transcript.text.delta", "delta": "Hello!"})],
        {}, "sse", {**HELLO, "complete": False}),
    "a run, cut": (
        f"{OPENAI}/threads/t1/runs",
        [("thread.run.created", {"object": "thread.run", "id": "run_1", "status": "queued"}),
         ("thread.message.delta", {"delta": {"content": [{"type": "text", "text": {"value": "Hello!"}}]}})],
        {"assistant_id": "a"}, "sse", {**HELLO, "response_id": "run_1", "complete": False}),
    "a video": (
        f"{OPENAI}/videos", {"id": "v1", "status": "queued", "seconds": "8"}, {"prompt": "A cat"}, "json",
        {"usage.extra": {"output_video_seconds": 8.0}, "finish_reason": "queued", "messages": [("user", "A cat")]}),
    "a video of xAI's": (
        "https://api.x.ai/v1/videos/generations", {"request_id": "v1"}, {"prompt": "A cat", "duration": 6}, "json",
        {"response_id": "v1", "usage.extra": {"output_video_seconds": 6.0}}),
    "messages, a text block that begins with text": (
        "https://api.anthropic.com/v1/messages",
        [{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hel"}},
         {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo!"}}],
        {}, "sse", HELLO),
    "messages, a block whose beginning was lost": (
        "https://api.anthropic.com/v1/messages",
        [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello!"}},
         {"type": "content_block_delta", "index": 1, "delta": {"type": "thinking_delta", "thinking": "Hm."}}],
        {}, "sse", HELLO),
    "messages, blocks without a number": (
        "https://api.anthropic.com/v1/messages",
        [{"type": "content_block_start", "content_block": {"type": "text", "text": "Hel"}},
         {"type": "content_block_start", "content_block": {"type": "text", "text": "lo!"}}],
        {}, "sse", HELLO),
    "text completions of old": (
        "https://api.anthropic.com/v1/complete",
        {"id": "c1", "model": "claude-2", "completion": "Hello!", "stop_reason": "stop_sequence"}, {"prompt": "Hi"},
          "json",
        {**HELLO, "provider": "anthropic", "model": "claude-2", "response_id": "c1", "finish_reason": "stop_sequence",
         "messages": [("user", "Hi")]}),
    "interactions, what Google ran": (
        f"{GOOGLE}/interactions",
        {"id": "i1", "status": "completed", "service_tier": "flex", "outputs": [
            {"type": "google_search_call", "id": "s1", "arguments": {"queries": ["x"]}},
            {"type": "google_search_result", "call_id": "s1", "result": "Found", "is_error": True},
            {"type": "code_execution_call", "id": "e1", "arguments": '{"code": "1"}'},
            {"type": "code_execution_result", "call_id": "e1", "result": "1", "is_error": False},
            {"type": "url_context_call", "id": "u1"},
            {"type": "function_call", "id": "f1", "name": "look", "arguments": {"q": 1}},
            {"type": "text", "text": "Hello!"}]},
        {"input": "Hi"}, "json",
        {**HELLO, "executed": [True, True, True, False], "succeeded": [False, True, None, None], "service_tier": "flex",
         "tools": [("google_search", "s1", {"queries": ["x"]}), ("code_execution", "e1", {"code": "1"}),
                   ("url_context", "u1", None), ("look", "f1", {"q": 1})]}),
    "interactions that failed": (
        f"{GOOGLE}/interactions", {"status": "failed", "errors": [{"code": "quota", "message": "No"}]},
          {"input": "Hi"}, "json",
        {"error.type": "quota", "error.message": "No", "finish_reason": "failed"}),
    "interactions that failed, and say no more": (
        f"{GOOGLE}/interactions", {"status": "failed"}, {"input": "Hi"}, "json", {"error.type": "failed",
          "error.message": None}),
    "an agent of Google's": (
        f"{GOOGLE}/interactions", {"status": "completed"}, {"input": "Hi", "agent": "deep-research", "model": None},
          "json",
        {"requested_model": "deep-research", "error": None}),
    "gemini, tools that Google ran": (
        f"{GOOGLE}/models/gemini-2.5-flash:generateContent",
        {"candidates": [{"content": {"parts": [
            {"toolCall": {"id": "m1", "toolType": "GOOGLE_MAPS", "args": {"q": 1}}},
            {"toolCall": {"id": "u1", "toolType": "URL_CONTEXT"}},
            {"toolResponse": {"id": "u1", "response": {"b": 2}}},
            {"toolResponse": {"id": "m1", "response": {"a": 1}}},
            {"executableCode": {"code": "1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            {"functionCall": {"id": "f1", "name": "look", "args": {"q": 2}}}, {"text": "Hello!"}]},
            "groundingMetadata": {"webSearchQueries": ["x", "y"]}}]},
        {"contents": "Hi"}, "json",
        {**HELLO, "tools": [("google_maps", "m1", {"q": 1}), ("url_context", "u1", None),
                            ("code_execution", None, {"code": "1"}), ("look", "f1", {"q": 2}),
                            ("google_search", None, {"queries": ["x", "y"]})],
         "executed": [True, True, True, False, True], "succeeded": [None, None, True, None, None],
         "outcomes": [{"a": 1}, {"b": 2}, "1", None, None]}),
    "interactions, a step that ends without counts": (
        f"{GOOGLE}/interactions",
        [("step.start", {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}}),
         ("step.delta", {"event_type": "step.delta", "index": 0, "delta": {"text": "Hello!"}}),
         ("step.stop", {"event_type": "step.stop", "index": 0}),
         ("step.start", {"event_type": "step.start", "index": 1, "step": {"type": "model_output"}}),
         ("step.stop", {"event_type": "step.stop", "index": 1, "usage": {"total_input_tokens": 7}})],
        {"input": "Hi"}, "sse", {**HELLO, "usage.input_tokens": 7, "complete": False, "parse_error": None}),
    "Vertex, embeddings of texts": (
        "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/text-embedding:predict",
        {"predictions": [{"embeddings": {"statistics": {"token_count": 3}}},
            {"embeddings": {"statistics": {"token_count": 4}}}]},
        {"instances": [{"content": "a"}, {"text": "b"}]}, "json",
        {"operation": "embeddings", "messages": [("user", "a"), ("user", "b")], "usage.input_tokens": 7}),
    "a conversation, what Mistral ran": (
        "https://api.mistral.ai/v1/conversations",
        {"outputs": [{"type": "tool.execution", "id": "t1", "name": "web_search", "arguments": '{"q": 1}',
            "info": {"n": 1}},
                     {"type": "tool.execution", "id": "t2"}, {"type": "function.call", "tool_call_id": "f1"},
                     {"type": "function.call", "name": "look", "tool_call_id": "f2", "arguments": "{}"},
                     {"type": "message.output", "content": "Hello!", "model": "m-1"}]},
        {"inputs": "Hi"}, "json",
        {**HELLO, "tools": [("web_search", "t1", {"q": 1}), ("look", "f2", {})], "executed": [True, False],
            "model": "m-1",
         "outcomes": [{"n": 1}, None]}),
    "completions, whose usage grows": (
        f"{OPENAI}/completions",
        [{"choices": [{"index": 0, "text": "Hel"}], "usage": {"prompt_tokens": 7, "completion_tokens": 1}},
         {"choices": [{"index": 0, "text": "lo!"}], "usage": {"prompt_tokens": 7, "completion_tokens": 3}},
         {"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}],
        {"prompt": "Hi"}, "sse", {**HELLO, "usage.input_tokens": 7, "usage.output_tokens": 3}),
    "responses, events named by their lines alone": (
        f"{OPENAI}/responses",
        [("response.output_text.delta", {"output_index": 0, "delta": "Hello!"}),
         ("response.completed", {"response": {"id": "r1", "usage": {"input_tokens": 7}}})],
        {"input": "Hi"}, "sse", {**HELLO, "response_id": "r1", "usage.input_tokens": 7, "complete": True}),
    "Imagen": (
        f"{GOOGLE}/models/imagen-4:predict",
        {"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": DATA}, {"safe": True}]},
        {"instances": [{"prompt": "A cat"}]}, "json",
        {"output_text": "[image image/png 2 KB]\n[prediction]", "operation": "image", "provider": "google",
         "requested_model": "imagen-4", "messages": [("user", "A cat")]}),
    "Veo": (
        f"{GOOGLE}/models/veo-3:predictLongRunning", {"name": "operations/o1"}, {"instances": [{"prompt": "A cat"}]},
          "json",
        {"operation": "video", "response_id": "operations/o1", "output_text": None}),
    "PaLM, code": (
        f"{GOOGLE}/models/code-bison@002:predict",
        {"predictions": [{"content": "Hello!", "citationMetadata": {"citations": []}}],
            "metadata": {"tokenMetadata": {"inputTokenCount": {"totalTokens": 7, "totalBillableCharacters": 2},
                                           "outputTokenCount": {"totalTokens": 3, "totalBillableCharacters": 6}}}},
        {"instances": [{"prefix": "Hi"}], "parameters": {"temperature": 0.2, "maxOutputTokens": 9, "topP": 0.5}},
        "json",
        {**HELLO, "operation": "completion", "messages": [("user", "Hi")], "requested_model": "code-bison@002",
            "usage.input_tokens": 7, "usage.output_tokens": 3, "max_tokens": 9, "temperature": 0.2, "top_p": 0.5}),
    "PaLM, a tuned model's chat": (
        f"{GOOGLE}/models/1234:predict",
        {"predictions": [{"candidates": [{"author": "1", "content": "Hello!"}], "safetyAttributes": []}],
            "metadata": {"tokenMetadata": {"inputTokenCount": {"totalTokens": 7}, "outputTokenCount": {}}}},
        {"instances": [{"context": "Be brief", "messages": [
            {"author": "0", "content": "Hi"}, {"author": "1", "content": "Yo"}, {"author": "0", "content": "You?"}]}]},
        "json",
        {**HELLO, "operation": "chat", "usage.input_tokens": 7, "usage.output_tokens": None,
            "messages": [("system", "Be brief"), ("user", "Hi"), ("assistant", "Yo"), ("user", "You?")]}),
    "PaLM, without counts": (
        f"{GOOGLE}/models/text-bison:predict", {"predictions": [{"content": "Hello!"}]},
        {"instances": [{"prompt": "Hi"}]}, "json",
        {**HELLO, "operation": "completion", "usage.input_tokens": None, "messages": [("user", "Hi")]}),
    "converse, what Bedrock ran": (
        CONVERSE,
        {"output": {"message": {"content": [
            {"toolUse": {"toolUseId": "t1", "name": "nova_grounding", "input": {"q": 1}, "type": "server_tool_use"}},
            {"toolResult": {"toolUseId": "t1", "status": "error", "content": [{"text": "No"}]}},
            {"toolUse": {"toolUseId": "t2", "name": "look", "input": {"q": 2}}},
            {"citationsContent": {"content": [{"text": "Hello!"}]}}]}},
         "stopReason": "tool_use", "serviceTier": {"type": "priority"}},
        {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}, "json",
        {**HELLO, "tools": [("nova_grounding", "t1", {"q": 1}), ("look", "t2", {"q": 2})], "executed": [True, False],
         "succeeded": [False, None], "service_tier": "priority"}),
    "converse, a tool's result in a turn of words": (
        CONVERSE, {}, {"messages": [{"role": "user", "content": [{"toolResult": {"content": [{"text": "Sunny"}]}},
          {"text": "?"}]}]},
        "json", {"messages": [("user", "Sunny\n?")]}),
    "invoke, Titan": (
        f"{BEDROCK}/amazon.titan-text-express-v1/invoke",
        {"inputTextTokenCount": 7,
         "results": [{"outputText": "Hello!", "tokenCount": 3, "completionReason": "FINISH"}]},
        {"inputText": "Hi"}, "json",
        {**HELLO, "messages": [("user", "Hi")], "usage.input_tokens": 7, "usage.output_tokens": 3,
         "finish_reason": "FINISH"}),
    "invoke, cut at its first piece": (
        f"{BEDROCK}/meta.llama3-8b/invoke-with-response-stream", [chunk({"generation": "Hello!"})], {"prompt": "Hi"},
          "aws",
        {**HELLO, "complete": False, "messages": [("user", "Hi")]}),
    **{f"invoke, ended by {name}": (
        f"{BEDROCK}/amazon.titan-text-express-v1/invoke-with-response-stream",
        [chunk({"outputText": "Hello!"}), chunk({name: last})], {"inputText": "Hi"}, "aws", {**HELLO, "complete": True})
       for name, last in [("amazon-bedrock-invocationMetrics", {"inputTokenCount": 7}),
                          ("totalOutputTextTokenCount", 3), ("amazon-bedrock-guardrailAction", "INTERVENED")]},
    "an agent, an error before its text": (
        "https://bedrock-agent-runtime.us-east-1.amazonaws.com/agents/A/agentAliases/B/sessions/s/text",
        [("throttlingException", {"message": "Slow"}), ("chunk", {"bytes": "SGVsbG8h"})], {"inputText": "Hi"}, "aws",
        {**HELLO, "error.message": "Slow", "complete": False}),
    "a flow": (
        "https://bedrock-agent-runtime.us-east-1.amazonaws.com/flows/F1/aliases/A1",
        [("flowOutputEvent", {"content": {"document": "Hello!"}})], {"inputs": []}, "aws",
        {**HELLO, "requested_model": "F1"}),
    "cohere v2, streamed": (
        f"{COHERE}/v2/chat",
        [("message-start", {"type": "message-start", "id": "c1"}),
         ("content-delta", {"type": "content-delta", "delta": {"message": {"content": {"text": "Hello!"}}}}),
         ("tool-call-start", {"type": "tool-call-start", "index": 0,
                              "delta": {"message": {"tool_calls": {"id": "t1", "function": {"name": "look",
                                  "arguments": ""}}}}}),
         ("tool-call-delta", {"type": "tool-call-delta", "index": 0,
                              "delta": {"message": {"tool_calls": {"function": {"arguments": '{"q": 1}'}}}}})],
        {"messages": TURNS}, "sse",
        {**HELLO, "response_id": "c1", "tools": [("look", "t1", {"q": 1})], "complete": False}),
    "cohere v1": (
        f"{COHERE}/v1/chat",
        {"text": "Hello!", "generation_id": "g1", "tool_calls": [{"name": "look", "parameters": {"q": 1}}],
         "meta": {"billed_units": {"input_tokens": 7, "output_tokens": 3}, "tokens": {"input_tokens": 70,
             "output_tokens": 4}}},
        {"message": "Hi", "tool_results": [{"call": {"name": "see"}, "outputs": [{"a": 1}]}]}, "json",
        {**HELLO, "response_id": "g1", "tools": [("look", None, {"q": 1})], "results": [(None, [{"a": 1}])],
         "usage.input_tokens": 70, "usage.output_tokens": 4, "price_usage.input_tokens": 7,
             "price_usage.output_tokens": 3,
         "price_usage.cached_input_tokens": None}),
    "cohere, what was cached is not billed twice": (
        f"{COHERE}/v2/chat",
        {"usage": {"billed_units": {"input_tokens": 7, "output_tokens": 3}, "tokens": {"input_tokens": 70},
          "cached_tokens": 50}},
        {"messages": TURNS}, "json",
        {"usage.cached_input_tokens": 50, "price_usage.cached_input_tokens": 7, "price_usage.input_tokens": 7}),
    "cohere, nothing was billed": (
        f"{COHERE}/v2/chat",
        {"usage": {"billed_units": {"input_tokens": 0}, "tokens": {"input_tokens": 70}, "cached_tokens": 50}},
        {"messages": TURNS}, "json", {"price_usage.cached_input_tokens": 50, "price_usage.input_tokens": 0}),
    "cohere, generate, cut": (
        f"{COHERE}/v1/generate", [{"is_finished": False, "text": "Hello!"}], {"prompt": "Hi"}, "ndjson",
        {**HELLO, "complete": False, "finish_reason": None}),
    "cohere, generate, without a response at its end": (
        f"{COHERE}/v1/generate",
        [{"is_finished": False, "text": "Hello!"}, {"is_finished": True, "finish_reason": "COMPLETE"}],
          {"prompt": "Hi"},
        "ndjson", {**HELLO, "complete": True, "finish_reason": "COMPLETE"}),
    "cohere, a stream that failed": (
        f"{COHERE}/v2/chat", [("message-end", {"type": "message-end", "delta": {"finish_reason": "ERROR"}})],
        {"messages": TURNS}, "sse", {"error.type": "ERROR", "finish_reason": "ERROR"}),
    "cohere, a document as a result": (
        f"{COHERE}/v2/chat", {},
        {"messages": [{"role": "tool", "tool_call_id": "t1", "content": [{"type": "document",
          "document": {"data": "Sunny"}}]},
                      {"role": "tool", "tool_call_id": "t2", "content": "Rain"}]},
        "json", {"results": [("t1", "Sunny"), ("t2", "Rain")]}),
    "cohere, images": (
        f"{COHERE}/v2/embed", {"id": "e1", "meta": {"billed_units": {"image_tokens": 5, "input_tokens": 7}}},
        {"texts": ["Hi"], "inputs": [{"content": [{"type": "text", "text": "Ho"}]}]}, "json",
        {"usage.extra": {"input_image_tokens": 5}, "usage.input_tokens": 7, "messages": [("user", "Hi"), ("user",
          "Ho")]}),
    "fill in the middle, streamed": (
        "https://api.mistral.ai/v1/fim/completions", [delta(content="Hello!"), delta("stop")], {"prompt": "Hi"}, "sse",
        {**HELLO, "operation": "completion", "complete": True}),
    "OCR, streamed": (
        "https://api.mistral.ai/v1/ocr", [{"pages": [{"markdown": "Hello!"}], "usage_info": {"pages_processed": 1}}],
            {}, "sse",
        {**HELLO, "usage.extra": {"input_document_pages": 1}}),
    "aleph alpha, streamed": (
        "https://api.aleph-alpha.com/complete",
        [{"type": "stream_chunk", "completion": "Hello!"}, {"type": "stream_summary", "finish_reason": "end_of_text"},
         {"type": "completion_summary", "num_tokens_prompt_total": 7, "num_tokens_generated": 3, "model_version": "1"}],
        {"prompt": "Hi"}, "sse",
        {**HELLO, "finish_reason": "end_of_text", "complete": True, "usage.output_tokens": 3, "model": "m"}),
    "aleph alpha, cut": (
        "https://api.aleph-alpha.com/complete", [{"type": "stream_chunk", "completion": "Hello!"}], {"prompt": "Hi"},
            "sse",
        {**HELLO, "complete": False, "usage.output_tokens": None, "model": None}),
    "aleph alpha, embeddings": (
        "https://api.aleph-alpha.com/semantic_embed", {"num_tokens_prompt_total": 7, "num_tokens_generated": 0},
            {"prompt": "Hi"},
        "json", {"operation": "embeddings", "usage.input_tokens": 7, "usage.output_tokens": None}),
    "watsonx, embeddings": (
        "https://us-south.ml.cloud.ibm.com/ml/v1/text/embeddings", {"results": [{}, {}], "input_token_count": 7},
        {"model_id": "w", "inputs": ["a", "b"]}, "json",
        {"operation": "embeddings", "usage.input_tokens": 7, "messages": [("user", "a"), ("user", "b")],
          "requested_model": "w"}),
    "watsonx, rerank": (
        "https://us-south.ml.cloud.ibm.com/ml/v1/text/rerank", {"model_id": "w-1", "input_token_count": 7},
        {"model_id": "w", "query": "Hi", "inputs": [{"text": "a"}]}, "json",
        {"operation": "rerank", "model": "w-1", "messages": [("user", "Hi")]}),
    "watsonx, several results": (
        "https://us-south.ml.cloud.ibm.com/ml/v1/text/generation",
        {"results": [{"generated_text": "Hello!", "input_token_count": 7, "generated_token_count": 3},
                     {"generated_text": "x", "input_token_count": 7, "generated_token_count": 2}]},
        {"input": "Hi"}, "json", {**HELLO, "usage.input_tokens": 14, "usage.output_tokens": 5}),
    "workers ai, embeddings": (
        "https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/baai/bge", {"result": {"data": [[0.5]]}},
        {"text": ["a", "b"]}, "json",
        {"operation": "embeddings", "messages": [("user", "a"), ("user", "b")], "requested_model": "@cf/baai/bge"}),
    "workers ai, one text": (
        "https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/baai/bge", {"result": {}}, {"text": "a"}, "json",
        {"operation": "embeddings", "messages": [("user", "a")]}),
    "workers ai, a prompt": (
        "https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/meta/llama", {"result": {"response": "Hello!"}},
        {"prompt": "Hi"}, "json", {**HELLO, "operation": "completion", "messages": [("user", "Hi")]}),
    "TGI, wrapped in a list": (
        "http://localhost:3000/generate", [{"generated_text": "Hello!", "details": {"prefill": [{}, {}],
            "generated_tokens": 3}}],
        {"inputs": "Hi"}, "json", {**HELLO, "usage.input_tokens": 2, "usage.output_tokens": 3}),
    "TGI, special tokens": (
        "http://localhost:3000/generate_stream",
        [{"token": {"text": "Hello!"}}, {"token": {"text": "</s>", "special": True}}], {"inputs": "Hi"}, "sse",
        {**HELLO, "complete": False}),
    "replicate, an image": (
        "https://api.replicate.com/v1/predictions", {"output": "https://x.example/a.png", "status": "succeeded"},
            {"version": "v"},
        "json", {"output_text": None, "requested_model": "v"}),
    "replicate, pieces": (
        "https://api.replicate.com/v1/predictions", {"output": ["Hel", "lo!"], "status": "succeeded"},
            {"version": "v"}, "json", HELLO),
    "deepgram, read": (
        "https://api.deepgram.com/v1/read?model=x", {"metadata": {"request_id": "d1"}}, {"text": "Hi"}, "json",
        {"operation": "chat", "response_id": "d1", "messages": [("user", "Hi")], "usage.extra": {}}),
    "sagemaker, a prompt": (
        "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e/invocations", {"choices": [{"text": "Hello!"}]},
        {"prompt": "Hi", "model": None}, "json", {**HELLO, "operation": "completion", "requested_model": "e"}),
    "replicate, an image without TLS": (
        "https://api.replicate.com/v1/predictions", {"output": "http://x.example/a.png", "status": "succeeded"},
            {"version": "v"}, "json", {"output_text": None}),
    "ollama, cut": (
        "http://localhost:11434/api/chat",
        [{"model": "m", "message": {"role": "assistant", "content": "Hello!"}, "done": False}],
        {"messages": TURNS}, "ndjson", {**HELLO, "complete": False}),
    "dashscope, thoughts": (
        "https://dashscope.aliyuncs.com/api/v1/services/aigc/text-generation/generation",
        {"output": {"text": "Hello!"}, "usage": {"input_tokens": 3, "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": 7}}},
        {"input": {"prompt": "Hi"}}, "json", {**HELLO, "usage.reasoning_tokens": 7, "usage.output_tokens": 9}),
    "interactions, an image that a tool read": (
        f"{GOOGLE}/interactions",
        {"status": "completed", "usage": {"total_input_tokens": 3, "total_tool_use_tokens": 5,
            "input_tokens_by_modality": [{"modality": "audio", "tokens": 3}],
            "tool_use_tokens_by_modality": [{"modality": "image", "tokens": 5}]}},
        {"input": "Hi"}, "json",
        {"usage.input_tokens": 8, "usage.extra": {"input_audio_tokens": 3, "input_image_tokens": 5}}),
    "a refusal without a word": (
        f"{OPENAI}/chat/completions", {}, {"messages": TURNS}, "json, 500", {"error.type": "http_500"}),
    "a conversation, streamed": (
        "https://api.mistral.ai/v1/conversations",
        [("conversation.response.started", {"type": "conversation.response.started", "conversation_id": "conv_1"}),
         ("message.output.delta", {"type": "message.output.delta", "output_index": 0, "content": "Hello!"})],
        {"inputs": "Hi"}, "sse", {**HELLO, "response_id": "conv_1", "complete": False}),
    "lm studio, a tool": (
        "http://localhost:1234/api/v1/chat",
        {"output": [{"type": "tool_call", "tool": "look", "arguments": {}, "output": "sun"}]}, {"input": "Hi"}, "json",
        {"tools": [("look", None, {})], "kinds": ["mcp"]}),
    "lm studio, cut": (
        "http://localhost:1234/api/v1/chat",
        [("chat.start", {"type": "chat.start", "model_instance_id": "l-1"}),
         ("reasoning.delta", {"type": "reasoning.delta", "content": "Hm."}),
         ("message.delta", {"type": "message.delta", "content": "Hello!"})],
        {"input": "Hi"}, "sse", {**HELLO, "model": "l-1", "complete": False}),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_the_others(name):
    """Each from its provider's reference."""
    url, answer, body, kind, expected = OTHERS[name]
    kind, _, status = kind.partition(", ")
    call = answered(url, answer, body, kind, status=int(status or 200))
    assert facts(call, expected) == expected
    if expected.get("output_text") == "Hello!" and call.operation != "ocr":  # of a stream it is known when that began
        assert (call.time_to_first_token_ms is not None) is (kind != "json")


MCP = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "look", "arguments": {"q": 1}}}


@pytest.mark.parametrize(
    ("answer", "result", "success", "error"),
    [
        ({"result": {"content": [{"type": "text", "text": "Sunny"}]}}, "Sunny", True, None),
        ({"result": {"content": [{"type": "text", "text": "No"}], "isError": True}}, "No", False, "No"),
        ({"error": {"code": -32602, "message": "Unknown tool"}}, None, False, "Unknown tool"),
        ({"result": {"structuredContent": {"a": 1}}}, {"a": 1}, True, None),
        ({"result": {"content": [{"type": "text", "text": "a"}, {"type": "image", "mimeType": "image/png",
          "data": DATA},
                                 {"type": "resource", "resource": {"text": "b"}}, {"type": "resource_link"}]}},
         "a\n[image image/png 2 KB]\nb\n[resource_link]", True, None),
    ],
)  # fmt: skip
def test_tools_of_mcp(answer, result, success, error):
    """A result, a failed one, an error of the protocol."""
    call = answered("https://tools.acme.example/mcp", {"jsonrpc": "2.0", "id": 1, **answer}, MCP)
    (tool,) = call.tool_calls
    assert (tool.name, tool.arguments, tool.executed, tool.result) == ("look", {"q": 1}, True, result)
    assert (tool.success is not False and call.error is None) is success
    assert (tool.error_message or (call.error and call.error.message)) == error


# Requests that cannot be read -----------------------------------------------------------------------------------------


def test_a_request_that_is_no_json():
    """The answer is told, and what could not be read is named."""
    example = Example("x", f"{OPENAI}/chat/completions", {}, {"choices": [{"message": {"content": "Hello!"}}]}, {})
    for body, problem in ((b"{", "RequestNotJSON"), (b"", None), (json.dumps({"messages": TURNS}).encode(), None)):
        call = read(replace(example.exchange(), request_body=body))
        assert (call.output_text, call.parse_error) == ("Hello!", problem)
    call = read(replace(example.exchange(), request_body=b"", request_truncated=True))
    assert call.parse_error == "RequestTooLarge"
