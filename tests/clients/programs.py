"""A short program for each client, as its documentation has it.

Each reads the server's addresses from the environment (`OPENAI_BASE`, `ORIGINAL_BASE`) and
fails if an answer is not what the echo engine says.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Program:
    """One client's program.

    Attributes:
        name: the client, for the table.
        package: its package, whose version the table has.
        code: what is run.
        language: `python`, or `node` for npm packages.
        release: the only release it works with, where another program needs another one.
    """

    name: str
    package: str
    code: str
    language: str = "python"
    release: str = ""


OPENAI = """
import asyncio, os
from openai import AsyncOpenAI, OpenAI
messages = [{"role": "user", "content": "two words"}]
with OpenAI(base_url=os.environ["OPENAI_BASE"], api_key="any") as client:
    whole = client.chat.completions.create(model="echo", messages=messages)
    assert whole.choices[0].message.content == "two words"
    with client.chat.completions.stream(model="echo", messages=messages) as stream:
        assert stream.get_final_completion().choices[0].message.content == "two words"
    assert [model.id for model in client.models.list()] == ["echo"]
    assert len(client.embeddings.create(model="echo", input="x").data) == 1

async def main():
    async with AsyncOpenAI(base_url=os.environ["OPENAI_BASE"], api_key="any") as client:
        stream = await client.chat.completions.create(model="echo", messages=messages, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        assert text == "two words"
asyncio.run(main())
"""

LITELLM = """
import os
import litellm
options = {"model": "openai/echo", "api_base": os.environ["OPENAI_BASE"], "api_key": "any",
           "messages": [{"role": "user", "content": "two words"}]}
assert litellm.completion(**options).choices[0].message.content == "two words"
chunks = litellm.completion(**options, stream=True)
assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "two words"
"""

PYDANTIC_AI = """
import os
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
provider = OpenAIProvider(base_url=os.environ["OPENAI_BASE"], api_key="any")
agent = Agent(OpenAIChatModel("echo", provider=provider))
assert agent.run_sync("two words").output == "two words"
"""

LANGCHAIN = """
import os
from langchain_openai import ChatOpenAI
model = ChatOpenAI(model="echo", base_url=os.environ["OPENAI_BASE"], api_key="any")
assert model.invoke("two words").content == "two words"
assert "".join(chunk.content for chunk in model.stream("two words")) == "two words"
"""

LLM = """
import os, subprocess, sys, tempfile
from pathlib import Path
with tempfile.TemporaryDirectory() as folder:
    Path(folder, "extra-openai-models.yaml").write_text(
        "- model_id: local\\n  model_name: echo\\n  api_base: " + os.environ["OPENAI_BASE"] + "\\n"
    )
    env = {**os.environ, "LLM_USER_PATH": folder, "OPENAI_API_KEY": "any"}
    for more in ([], ["--no-stream"]):
        command = [sys.executable, "-m", "llm", "-m", "local", "two words", *more]
        run = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == "two words", run
"""

ORIGINAL = """
import asyncio, os
from g4f.Provider import AutonomousAI as original
hosted = "https://chatgpt.autonomous.ai/api/v1/ai"
original.api_endpoints = {
    name: url.replace(hosted, os.environ["ORIGINAL_BASE"])
    for name, url in original.api_endpoints.items()
}

async def ask(model, number):
    text = f"I am {model}, call {number}"
    messages = [{"role": "user", "content": text}]
    generator = original.create_async_generator(model, messages, stream=True)
    pieces = [piece async for piece in generator if isinstance(piece, str)]
    assert "".join(pieces) == text, (text, pieces)

async def main():
    for number in range(100):
        await asyncio.gather(*(ask(model, number) for model in original.models))
    print("500 calls over", len(original.models), "models, none failed")
asyncio.run(main())
"""

G4F = """
import asyncio, os
os.environ["AUTONOMOUSAI_BASE_URL"] = os.environ["ORIGINAL_BASE"]
from g4f.client import AsyncClient, Client
from autonomousai_sdk import AutonomousAI
messages = [{"role": "user", "content": "two words"}]
client = Client(provider=AutonomousAI)
whole = client.chat.completions.create(messages, model="llama")
assert whole.choices[0].message.content == "two words", whole
assert whole.usage.prompt_tokens == 2, whole
whole = client.chat.completions.create(messages, model="hermes-3", max_tokens=1)
assert whole.choices[0].finish_reason == "length", whole
chunks = client.chat.completions.create(messages, stream=True)
assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "two words"
assert client.models.get_all() == AutonomousAI.models

async def main():
    client = AsyncClient(provider=AutonomousAI)
    whole = await client.chat.completions.create(messages, model="qwen_coder")
    assert whole.choices[0].message.content == "two words", whole
    stream = client.chat.completions.create(messages, model="summary", stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == "two words", text
    await AutonomousAI.aclose()
asyncio.run(main())
"""

BROWSER_BOT = """
import asyncio, base64, json, os, uuid
import aiohttp

async def main():
    messages = base64.b64encode(json.dumps([{"role": "user", "content": "Привет"}]).encode())
    body = {"messages": messages.decode(), "threadId": str(uuid.uuid4()), "stream": True,
            "aiAgent": "llama", "userId": str(uuid.uuid4()), "useTool": False}
    headers = {"socketid": "x" * 20, "origin": "https://www.autonomous.ai",
               "user-agent": "Mozilla/5.0", "content-type": "application/json"}
    async with aiohttp.ClientSession() as session:
        url = os.environ["ORIGINAL_BASE"] + "/chat"
        async with session.post(url, json=body, headers=headers) as response:
            text = ""
            async for line in response.content:
                if line.startswith(b"data: {"):
                    text += json.loads(line[6:])["choices"][0]["delta"].get("content") or ""
    assert text == "Привет"
asyncio.run(main())
"""

AXIOS_BOT = """
const body = {
  messages: Buffer.from("Why is the sky blue?").toString("base64"),
  threadId: "llama", stream: false, aiAgent: "llama",
};
const response = await (await import("axios")).default.post(
  process.env.ORIGINAL_BASE + "/chat", body,
);
if (response.data.choices[0].message.content !== "Why is the sky blue?") process.exit(1);
"""

OPENAI_JS = """
import OpenAI from "openai";
const client = new OpenAI({ baseURL: process.env.OPENAI_BASE, apiKey: "any" });
const messages = [{ role: "user", content: "two words" }];
const whole = await client.chat.completions.create({ model: "echo", messages });
let text = "";
const stream = await client.chat.completions.create({ model: "echo", messages, stream: true });
for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
if (whole.choices[0].message.content !== "two words" || text !== "two words") process.exit(1);
"""

VERCEL_AI = """
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
const provider = createOpenAICompatible({ name: "local", baseURL: process.env.OPENAI_BASE });
const whole = await generateText({ model: provider("echo"), prompt: "two words" });
let text = "";
for await (const piece of streamText({ model: provider("echo"), prompt: "two words" }).textStream)
  text += piece;
if (whole.text !== "two words" || text !== "two words") process.exit(1);
"""

PROGRAMS = (
    Program("openai (sync, async, stream helper)", "openai", OPENAI),
    Program("litellm", "litellm", LITELLM),
    Program("pydantic-ai", "pydantic-ai-slim", PYDANTIC_AI),
    Program("langchain-openai", "langchain-openai", LANGCHAIN),
    Program("llm (its command)", "llm", LLM),
    Program("openai (JavaScript)", "openai", OPENAI_JS, "node"),
    Program("ai (Vercel, openai-compatible)", "ai", VERCEL_AI, "node"),
    Program("the original provider, 500 calls", "g4f", ORIGINAL, release="0.4.1.0"),
    Program("g4f's clients, with provider=AutonomousAI", "g4f", G4F, release="newest"),
    Program("a bot with a browser's headers", "aiohttp", BROWSER_BOT),
    Program("a bot that sends a bare prompt", "axios", AXIOS_BOT, "node"),
)
NPM = ("openai", "ai", "@ai-sdk/openai-compatible", "axios")
