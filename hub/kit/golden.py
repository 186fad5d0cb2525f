"""Golden drafts written from the present mapping: for a person to read, and from then on the proof."""

from __future__ import annotations

import json
from pathlib import Path

from hub.core.errors import ConfigurationError, PersonError
from hub.kit.bench import Died, Failed, Hung, Refused
from hub.kit.samples import GOLDEN, comparable
from hub.kit.target import Target
from hub.kit.work import Work
from hub.sdk.manifest import FILE, read_manifest

__all__ = ["write_golden"]


def write_golden(target: Target) -> list[Path]:
    """``samples/STREAM.drafts.json`` beside each sample, one draft a line; the files written.

    Raises ConfigurationError for a connector that cannot be loaded or cannot map its own samples.
    """
    written = []
    with Work(target, read_manifest(target.folder / FILE)) as work:
        try:
            for name, sample in work.samples.items():
                entries = [comparable(entry) for entry in work.map(name, sample.rows).entries]
                lines = ",\n ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
                path = sample.path.with_name(f"{name}{GOLDEN}")
                path.write_text(f"[\n {lines}\n]\n", encoding="utf-8")
                written.append(path)
        except (Refused, Died, Hung, Failed, PersonError) as error:
            raise ConfigurationError(
                f"{target.name}: its samples cannot be mapped ({type(error).__name__} {error}).",
                code="kit.golden",
                remedy="`hub connectors test` says what is wrong.",
            ) from error
    return written
