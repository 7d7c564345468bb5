"""How many of SmolLM2's completions end by themselves: `python -m tests.bench.endings`.

Ten prompts, ten runs each, on the local server as it comes; and once more without the
repetition penalty, to show what it does.
"""

from __future__ import annotations

import argparse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from autonomousai_sdk import Client
from autonomousai_sdk.local import LocalServer

PROMPTS = (
    "Tell me a story.",
    "Why is the sky blue?",
    "Write a story about a fox.",
    "Explain how a bicycle works.",
    "List ten countries and their capitals.",
    "Write a poem about the sea.",
    "What should I cook tonight?",
    "Summarise the history of Rome.",
    "Give me advice for a job interview.",
    "Describe your favourite place.",
)


def measure(client: Client, runs: int, options: dict[str, object]) -> Counter[str]:
    """The finish reasons of all prompts, each asked so often."""

    def ask(prompt: str) -> str:
        completion = client.chat.create(prompt, extra_body=options)
        return completion.finish_reason or "none"

    with ThreadPoolExecutor(4) as pool:
        return Counter(pool.map(ask, PROMPTS * runs))


def main() -> None:
    """Measure both, and write a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--penalty", type=float, action="append")
    given = parser.parse_args()
    with LocalServer() as server, Client(base_url=server.base_url, timeout=600) as client:
        for penalty in given.penalty or [None, 1.0]:
            options: dict[str, object] = {} if penalty is None else {"repeat_penalty": penalty}
            reasons = measure(client, given.runs, options)
            name = "as it comes" if penalty is None else f"repetition penalty {penalty}"
            share = reasons["stop"] / reasons.total()
            print(f"{name}: {share:.0%} of {reasons.total()} end by themselves; {dict(reasons)}")


if __name__ == "__main__":
    main()
