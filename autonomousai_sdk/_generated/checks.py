# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.

"""The checks of the objects that callers pass."""

from __future__ import annotations

from .._core import check

ImageURL: check.Check = check.Object(
    name="ImageURL",
    properties={
        "url": check.Property(check=check.String(), required=True),
        "detail": check.Property(check=check.String()),
    },
)

TextPart: check.Check = check.Object(
    name="TextPart",
    properties={
        "text": check.Property(check=check.String(), required=True),
        "type": check.Property(check=check.Enum(values=("text",)), required=True),
    },
)

ImagePart: check.Check = check.Object(
    name="ImagePart",
    properties={
        "image_url": check.Property(check=check.Ref(target=lambda: ImageURL), required=True),
        "type": check.Property(check=check.Enum(values=("image_url",)), required=True),
    },
)

Message: check.Check = check.Object(
    name="Message",
    properties={
        "role": check.Property(
            check=check.Union(
                options=(
                    check.Enum(values=("system", "user", "assistant", "tool")),
                    check.String(),
                )
            ),
            required=True,
        ),
        "content": check.Property(
            check=check.Union(
                options=(
                    check.String(),
                    check.Array(
                        items=check.Tagged(
                            tag="type",
                            options={
                                "text": check.Ref(target=lambda: TextPart),
                                "image_url": check.Ref(target=lambda: ImagePart),
                            },
                        ),
                        min_items=1,
                    ),
                    check.Null(),
                )
            )
        ),
        "name": check.Property(
            check=check.Union(
                options=(
                    check.String(),
                    check.Null(),
                )
            )
        ),
        "tool_call_id": check.Property(
            check=check.Union(
                options=(
                    check.String(),
                    check.Null(),
                )
            )
        ),
        "tool_calls": check.Property(
            check=check.Union(
                options=(
                    check.Array(items=check.Ref(target=lambda: ToolCall)),
                    check.Null(),
                )
            )
        ),
        "refusal": check.Property(
            check=check.Union(
                options=(
                    check.String(),
                    check.Null(),
                )
            )
        ),
        "reasoning_content": check.Property(
            check=check.Union(
                options=(
                    check.String(),
                    check.Null(),
                )
            )
        ),
        "reasoning": check.Property(
            check=check.Union(
                options=(
                    check.String(),
                    check.Null(),
                )
            )
        ),
        "function_call": check.Property(
            check=check.Union(
                options=(
                    check.Ref(target=lambda: FunctionCall),
                    check.Null(),
                )
            )
        ),
    },
)

FunctionCall: check.Check = check.Object(
    name="FunctionCall",
    properties={
        "name": check.Property(check=check.String()),
        "arguments": check.Property(check=check.String()),
    },
)

ToolCall: check.Check = check.Object(
    name="ToolCall",
    properties={
        "id": check.Property(check=check.String()),
        "type": check.Property(check=check.String()),
        "function": check.Property(check=check.Ref(target=lambda: FunctionCall)),
    },
)
