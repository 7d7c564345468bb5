"""Wire protocols: which one a base URL selects, and which base URLs cannot work.

The spec lists the protocols (`x-protocols`). Everything else that a protocol determines is in
the routes of each operation: paths, the encoding of arguments, headers.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from attrs import frozen

from ..errors import ConfigurationError


@frozen(kw_only=True)
class Protocol:
    """A wire protocol.

    Attributes:
        name: the name, as in `Client(protocol=…)`.
        base_path: the end of a base URL's path that selects this protocol, such as `/v1`.
            Empty for the protocol of all other base URLs.
        paths: the paths of its endpoints below the base URL.
        options: the client options that its requests carry. Other protocols refuse them.
        has_catalog: whether models are looked up in the model table. Otherwise any name is
            sent, and a call without a model uses the only model that the server lists.
    """

    name: str
    base_path: str = ""
    paths: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    has_catalog: bool = False


@frozen(kw_only=True)
class Advice:
    """What errors of a client advise.

    Attributes:
        not_found: for a response that the endpoint does not exist, or empty.
        unreachable: for a server that cannot be reached, or empty.
    """

    not_found: str = ""
    unreachable: str = ""


@frozen
class Protocols:
    """The protocols of the spec.

    Attributes:
        each: the protocols.
        default_base_url: the URL of the hosted service.
        other_base_urls: the URLs of the vendor's other servers.
    """

    each: tuple[Protocol, ...]
    default_base_url: str
    other_base_urls: tuple[str, ...] = ()

    def advice(self, base_url: str) -> Advice:
        """What errors of a client with this base URL advise."""
        others = [each for each in self.each if each.base_path]
        not_found = "".join(
            f"For the {each.name!r} protocol, the base URL usually ends with {each.base_path}: "
            f"base_url={base_url + each.base_path!r}."
            for each in others
            if not any(base_url.endswith(other.base_path) for other in others)
        )
        if base_url != self.default_base_url:
            return Advice(not_found=not_found)
        current = "".join(f", or {url} with an api_key" for url in self.other_base_urls)
        return Advice(
            not_found=not_found,
            unreachable="The hosted service may no longer exist. Use a model on this machine "
            "(LocalServer, or --local on the command line), an engine that is OpenAI-compatible "
            f"(base_url='http://127.0.0.1:11434/v1' for Ollama){current}.",
        )

    def choose(self, name: object, base_url: str, *, source: str = "protocol") -> Protocol:
        """The protocol with this name or, if it is None, the one that the base URL selects.

        Args:
            name: the value of the argument or environment variable.
            base_url: a checked base URL.
            source: the name of the argument or variable, for errors.

        Raises:
            ConfigurationError: no protocol has the name.
        """
        if name is None:
            path = urlsplit(base_url).path
            by_length = sorted(self.each, key=lambda each: len(each.base_path), reverse=True)
            return next(each for each in by_length if path.endswith(each.base_path))
        for each in self.each:
            if each.name == name:
                return each
        names = " or ".join(repr(each.name) for each in self.each)
        given = repr(name) if isinstance(name, str) else type(name).__name__
        raise ConfigurationError(f"{source} must be {names}, not {given}.")

    def check(self, protocol: Protocol, base_url: str, *, source: str = "base_url") -> None:
        """Refuse a base URL that requests of this protocol cannot use.

        Raises:
            ConfigurationError: the URL ends with the path of an endpoint, or lacks or repeats
                the end that the protocol requires. The message has the right URL.
        """
        problem = right = ""
        found: tuple[str, str, Protocol] | None = self._problem(protocol, base_url)
        while found is not None:
            problem, right, protocol = (problem or found[0], *found[1:])
            found = self._problem(protocol, right)
        if problem:
            raise ConfigurationError(f"{source} {base_url!r} {problem}: use {right!r}.")

    def _problem(self, protocol: Protocol, base_url: str) -> tuple[str, str, Protocol] | None:
        """What is wrong with a base URL, the URL without that, and the protocol to use it with."""
        path, default_path = urlsplit(base_url).path, urlsplit(self.default_base_url).path
        for each in self.each:
            for endpoint in each.paths:
                # The path alone may end a base URL of another protocol, as `/models` does at Azure.
                is_unique = endpoint.count("/") > 1 or (each is protocol and not each.base_path)
                end = endpoint if is_unique else (each.base_path or default_path) + endpoint
                if path.endswith(end):
                    problem = f"ends with {endpoint}, the path of an endpoint"
                    return problem, base_url[: -len(endpoint)], each if each.base_path else protocol
        for each in self.each:
            if each.base_path and path.endswith(each.base_path * 2):
                problem = f"ends with {each.base_path} twice"
                return problem, base_url[: -len(each.base_path)], protocol
        for each in self.each:
            if each.base_path and base_url + each.base_path in self.other_base_urls:
                problem = f"lacks {each.base_path}, which the {each.name!r} protocol requires"
                return problem, base_url + each.base_path, each
        if path.endswith(default_path if path else "") and not path.endswith(protocol.base_path):
            problem = f"lacks {protocol.base_path}, which the {protocol.name!r} protocol requires"
            return problem, base_url + protocol.base_path, protocol
        return None
