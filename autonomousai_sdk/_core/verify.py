"""The type of `verify=`.

For type checkers only. At run time it is `Any`, so that annotations that name it can be evaluated
without importing `ssl`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    import ssl
    from typing import TypeAlias

    Verify: TypeAlias = bool | str | os.PathLike[str] | ssl.SSLContext
else:
    Verify = Any
