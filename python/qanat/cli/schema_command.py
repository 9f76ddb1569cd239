"""``qanat schema``: looks at files and prints the source declaration that fits them."""

from __future__ import annotations

import re
from pathlib import Path

from qanat.connect.formats import by_ending
from qanat.engines.inference import inferred_schema, schema_literal
from qanat.errors import QanatError


def schema(glob: str) -> None:
    """Prints Python to paste."""
    chosen = by_ending(glob)
    if chosen is None:
        raise QanatError(
            "QN-1303",
            f"What '{glob}' holds cannot be told from its ending.",
            ["Known: .json, .jsonl, .ndjson, .csv, .tsv, .parquet, and these with .gz or .zst"],
        )
    try:
        columns = inferred_schema(str(Path(glob).expanduser()), chosen)
    except Exception as error:
        head = str(error).strip().split("\n")[0]
        raise QanatError("QN-1309", f"'{glob}' cannot be looked into.", [head], kind="not_found") from None
    first, *rest = schema_literal(columns, "    schema=")
    name = re.sub(r"\W+", "_", Path(glob).name.split(".")[0].strip("*")).strip("_") or "rows"
    options = 'delimiter="\\t"' if dict(chosen.options).get("delimiter") == "\t" else ""
    print("qn.source(")
    print(f'    "{name}",')
    print(f'    qn.files("{glob}"),')
    print(f"    format=qn.{chosen.kind}({options}),")
    print("\n".join([f"    schema={first}", *(f"           {line}" for line in rest)]) + ",")
    print(")")
