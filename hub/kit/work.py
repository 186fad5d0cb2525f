"""What every check works with: the bench, the connector's tables and samples, and one calm child for the mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from hub.core.errors import PersonError
from hub.kit.bench import PATIENCE, Bench, Child, Died, Failed, Forge, Hung, Mapped
from hub.kit.samples import Samples, read_samples
from hub.kit.target import Target
from hub.sdk.connector import Stream
from hub.sdk.fields import Field
from hub.sdk.manifest import Manifest
from hub.sdk.streams import ANY_UNIT

__all__ = ["Exempt", "Work"]


class Exempt(Exception):
    """The check does not apply to this connector; the text says why."""


class Work(Bench):
    """The bench of one connector and what is known of it. Nothing of the connector is imported here."""

    def __init__(
        self, target: Target, manifest: Manifest, *, patience: float = PATIENCE, forge: Forge | None = None
    ) -> None:
        super().__init__(target, manifest, patience=patience, forge=forge)
        self._calm: Child | None = None
        self.walked: list[str] | None = None  # how calling every verb went, once somebody asked

    @property
    def calm(self) -> Child:
        """A child without any source, for mapping and rendering; a new one after it has gone. Raises Refused."""
        if self._calm is None:
            self._calm = self.start()
        return self._calm

    def map(self, stream: str, rows: Sequence[Any], renames: Mapping[str, str] | None = None) -> Mapped:
        """What rows become, in the calm child. Raises Died, Hung or Failed; the next call has a child again."""
        try:
            return self.calm.map(stream, rows, renames)
        except (Died, Hung):
            self._calm = None
            raise

    @cached_property
    def streams(self) -> dict[str, Stream]:
        """The connector's tables, told by its child and made anew from data."""
        return {
            told["name"]: Stream(
                told["name"], told["title"], told["kind"], tuple(told["key"]),
                tuple(Field(*field) for field in told["fields"]),
            )
            for told in self.calm.described["streams"]
        }  # fmt: skip

    @property
    def has_own_source(self) -> bool:
        """Whether the connector fetches by code of its own."""
        return bool(self.calm.described["fetches"])

    @property
    def has_own_way(self) -> bool:
        """Whether the connector sends by code of its own."""
        return bool(self.calm.described["sends"])

    @cached_property
    def samples(self) -> dict[str, Samples]:
        """Samples by stream; none where a file cannot be read (``samples.present`` says so)."""
        try:
            return read_samples(self.target.folder / "samples", self.streams)
        except PersonError:
            return {}

    @property
    def own_streams(self) -> list[str]:
        """The unit's own streams; those of any unit count where a sample lies beside them."""
        common = {stream.name for stream in ANY_UNIT}
        return [name for name in self.streams if name not in common or name in self.samples]

    @cached_property
    def main(self) -> tuple[Stream, list[dict[str, Any]]]:
        """The stream that faults are tried on, and sample rows of it. Raises Exempt when there is no sample at all."""
        for name in self.own_streams:
            if name in self.samples and self.samples[name].rows:
                return self.streams[name], self.samples[name].rows
        raise Exempt("no stream has a sample to work with")


def attempt(found: list[str], what: str, call: Any, *arguments: Any) -> Any:
    """The result of ``call``, or None with a sentence in ``found`` about how it failed."""
    try:
        return call(*arguments)
    except Died:
        found.append(f"{what}: the process ended")
    except Hung:
        found.append(f"{what}: no answer in time")
    except Failed as failed:
        found.append(f"{what}: {failed}")
    return None
