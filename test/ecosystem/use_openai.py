"""Uses a server with the story model through OpenAI's package. Arguments: base URL, key. Prints `ok` last."""

import json
import sys

import openai

base_url, key = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
chat = {
    "model": "stories",
    "messages": [{"role": "user", "content": "Once upon a time"}],
    "temperature": 0,
}

assert [model.id for model in client.models.list()] == ["stories"]

answer = client.chat.completions.create(**chat, max_tokens=20)
text = answer.choices[0].message.content
assert len(text) > 20 and answer.usage.completion_tokens == 20, answer

chunks = list(
    client.chat.completions.create(
        **chat, max_tokens=20, stream=True, stream_options={"include_usage": True}
    )
)
streamed = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
assert streamed == text, (streamed, text)
assert chunks[-1].usage.completion_tokens == 20

# Fields of ours go into the body as they are.
plain = client.chat.completions.create(
    **chat, max_tokens=20, extra_body={"speculative": {"enabled": False}}
)
assert plain.choices[0].message.content == text

completion = client.completions.create(
    model="stories", prompt="Once upon a time", max_tokens=5, logprobs=2
)
assert len(completion.choices[0].logprobs.tokens) == 5

schema = {
    "type": "object",
    "properties": {"animal": {"enum": ["cat", "dog"]}},
    "required": ["animal"],
    "additionalProperties": False,
}
answer = client.chat.completions.create(
    **chat,
    max_tokens=100,
    response_format={
        "type": "json_schema",
        "json_schema": {"name": "story", "schema": schema},
    },
)
assert json.loads(answer.choices[0].message.content)["animal"] in ("cat", "dog")

tool = {"type": "function", "function": {"name": "tell", "parameters": schema}}
answer = client.chat.completions.create(
    **chat, max_tokens=100, tools=[tool], tool_choice="required"
)
call = answer.choices[0].message.tool_calls[0]
assert call.function.name == "tell" and "animal" in json.loads(call.function.arguments)

response = client.responses.create(model="stories", input="Hi", max_output_tokens=9)
assert response.status == "incomplete" and response.output_text

try:
    client.chat.completions.create(**{**chat, "model": "other"})
    raise AssertionError("an unknown model was answered")
except openai.NotFoundError as error:
    assert error.code == "model_not_found", error

try:
    openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0).models.list()
    raise AssertionError("a wrong key was answered")
except openai.AuthenticationError as error:
    assert error.code == "invalid_api_key", error

print("ok")
