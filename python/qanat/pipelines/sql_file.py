"""Reads the ``.sql`` files of a pipeline: Spark's and Databricks' CREATE statements into declarations."""

from __future__ import annotations

from qanat import sql_text
from qanat.connect.files import Files, files
from qanat.connect.formats import Format, by_ending, csv, json, parquet
from qanat.errors import QanatError
from qanat.pipelines import schema as schemas
from qanat.pipelines.names import checked_name
from qanat.pipelines.registry import AppendFlow, Dataset, Expectation, Flow, Registry, Source
from qanat.sql_text import Token
from qanat.where import Where

_STATEMENTS = (
    "CREATE STREAMING TABLE, CREATE MATERIALIZED VIEW, CREATE TEMPORARY VIEW, CREATE FLOW … AS INSERT INTO"
)


def declare(text: str, file: str, registry: Registry) -> None:
    """Adds what the statements of an SQL file declare to ``registry``.

    Raises
    ------
    QanatError
        QN-1116 with file and line, for a statement that is not one of ours or not written as it should be.
    """
    for _, found in sql_text.statements(text):
        _Statement(text, file, found, registry).declare()


class _Statement:
    """One statement and how far it has been read."""

    def __init__(self, text: str, file: str, found: list[Token], registry: Registry) -> None:
        self.text = text
        self.file = file
        self.found = found
        self.registry = registry
        self.at = 0

    def declare(self) -> None:
        if not self._took("CREATE"):
            raise self._wrong(f"A statement begins with {self._shown()}", f"Known here: {_STATEMENTS}")
        if self._took("FLOW"):
            return self._flow()
        if self._took("OR") and not (self._took("REFRESH") or self._took("REPLACE")):
            raise self._wrong(f"After CREATE OR comes {self._shown()}", "Known here: CREATE OR REFRESH")
        if self._took("STREAMING", "TABLE"):
            return self._dataset("table")
        if self._took("MATERIALIZED", "VIEW"):
            return self._dataset("materialized_view")
        if self._took("TEMPORARY", "VIEW") or self._took("TEMP", "VIEW"):
            return self._dataset("temporary_view")
        if self._took("TABLE"):
            raise self._wrong("CREATE TABLE makes no pipeline table", "Write CREATE STREAMING TABLE")
        if self._took("VIEW"):
            raise self._wrong(
                "CREATE VIEW makes no pipeline view",
                "Write CREATE MATERIALIZED VIEW or CREATE TEMPORARY VIEW",
            )
        raise self._wrong(f"After CREATE comes {self._shown()}", f"Known here: {_STATEMENTS}")

    def _dataset(self, kind: str) -> None:
        place = self._place()
        self._took("IF", "NOT", "EXISTS")
        dataset = Dataset(checked_name(self._name(), "dataset", place), kind, place)
        has_query = False
        while self.at < len(self.found) and not has_query:
            has_query = self._took("AS")
            if not has_query:
                self._clause(dataset)
        if has_query:
            dataset.flows.append(Flow(dataset.name, place, self._query(dataset.name), None))
        elif kind == "table":
            dataset.kind = "streaming_table"
        else:
            raise self._wrong(f"'{dataset.name}' has no AS SELECT …", "A view is made by a query")
        self.registry.datasets.append(dataset)

    def _clause(self, dataset: Dataset) -> None:
        if self._peek().is_mark("("):
            self._columns_and_rules(dataset)
        elif self._took("COMMENT"):
            dataset.comment = self._literal("COMMENT")
        elif self._took("PARTITIONED", "BY"):
            dataset.partition_cols = tuple(
                part[0].text for part in self._list("PARTITIONED BY") if len(part) == 1
            )
        elif self._took("TBLPROPERTIES"):
            for part in self._list("TBLPROPERTIES"):
                if (
                    len(part) < 3
                    or not part[-2].is_mark("=")
                    or part[-1].kind not in ("text", "number", "word")
                ):
                    raise self._wrong(
                        "TBLPROPERTIES has a part that is no 'key' = 'value'", "Write ('key' = 'value')"
                    )
                dataset.table_properties["".join(token.text for token in part[:-2])] = part[-1].text
        elif self._took("USING"):
            if self._name().casefold() != "delta":
                raise self._wrong(
                    "USING names another format than delta", "A dataset's table is a Delta table"
                )
        elif self._took("CLUSTER", "BY"):
            raise self._wrong("CLUSTER BY is not known", "Qanat lays files out by PARTITIONED BY only")
        else:
            raise self._wrong(
                f"{self._shown()} is not expected in the head of '{dataset.name}'",
                "Known: (columns, CONSTRAINTs), COMMENT, PARTITIONED BY, TBLPROPERTIES, USING delta, AS",
            )

    def _columns_and_rules(self, dataset: Dataset) -> None:
        declared: list[str] = []
        for part in self._list("the list of columns and constraints"):
            if part and part[0].is_word("CONSTRAINT"):
                dataset.expectations.append(self._rule(part))
            elif part:
                declared.append(self.text[part[0].start : part[-1].end])
        if declared:
            dataset.schema = ", ".join(declared)
            schemas.columns(dataset.schema, f"dataset '{dataset.name}'", self._place())

    def _rule(self, part: list[Token]) -> Expectation:
        place = Where(self.file, self._line(part[0].start))
        if len(part) < 5 or not part[2].is_word("EXPECT") or not part[3].is_mark("("):
            raise self._wrong(
                "A CONSTRAINT is not written as it should be",
                "Write CONSTRAINT fair_price EXPECT (price >= 0) ON VIOLATION DROP ROW",
                place,
            )
        close = sql_text.closing(part, 3)
        condition = self.text[part[3].end : part[close].start].strip()
        ending = " ".join(token.text.upper() for token in part[close + 1 :])
        actions = {
            "": "keep",
            "ON VIOLATION DROP ROW": "drop",
            "ON VIOLATION FAIL UPDATE": "fail",
            "ON VIOLATION QUARANTINE ROW": "quarantine",
        }
        if ending not in actions:
            raise self._wrong(
                f"'{ending}' is not a thing to do with a row",
                "Known: ON VIOLATION DROP ROW, FAIL UPDATE, QUARANTINE ROW; nothing keeps and counts it",
                place,
            )
        return Expectation(part[1].text, condition, actions[ending], place)

    def _flow(self) -> None:
        place = self._place()
        name = checked_name(self._name(), "flow", place)
        if self._took("COMMENT"):
            self._literal("COMMENT")
        if not self._took("AS", "INSERT", "INTO"):
            raise self._wrong(
                f"After CREATE FLOW {name} comes {self._shown()}",
                "Write AS INSERT INTO table BY NAME SELECT …",
            )
        once = self._took("ONCE")
        target = self._name()
        if not self._took("BY", "NAME"):
            raise self._wrong(
                f"The flow '{name}' does not say BY NAME",
                f"Write INSERT INTO {target} BY NAME SELECT …: columns are matched by name",
            )
        flow = Flow(name, place, self._query(name), None, once)
        self.registry.append_flows.append(AppendFlow(target, flow))

    def _query(self, owner: str) -> str:
        """The rest of the statement; ``STREAM read_files(…)`` in it becomes a source of its own."""
        rest = self.found[self.at :]
        if not rest:
            raise self._wrong(f"'{owner}' has no query after AS", "Write AS SELECT …")
        self.at = len(self.found)
        text, done, count = "", rest[0].start, 0
        for index, token in enumerate(rest):
            if not (token.is_word("READ_FILES") and index + 1 < len(rest) and rest[index + 1].is_mark("(")):
                continue
            before = rest[index - 1] if index else token
            wrapped = before.is_mark("(") and index > 1 and rest[index - 2].is_word("STREAM")
            if not wrapped and not before.is_word("STREAM"):
                continue
            count += 1
            close = sql_text.closing(rest, index + 1)
            name = f"{owner}_files" + (str(count) if count > 1 else "")
            self._read_files(name, rest[index + 2 : close], Where(self.file, self._line(token.start)))
            text += self.text[done : token.start] + name
            done = rest[close].end
        return text + self.text[done : rest[-1].end]

    def _read_files(self, name: str, inside: list[Token], place: Where) -> None:
        if not inside or inside[0].kind != "text":
            raise self._wrong(
                "read_files has no path", "Write read_files('data/*.jsonl', format => 'json', schema => '…')"
            )
        options: dict[str, str] = {}
        for index, token in enumerate(inside[:-1]):
            if token.is_mark("=>"):
                options[inside[index - 1].text.casefold()] = inside[index + 1].text
        path = inside[0].text
        formats = {"json": json, "csv": csv, "parquet": parquet}
        kind = options.pop("format", "")
        chosen: Format | None = formats[kind]() if kind in formats else by_ending(path) if not kind else None
        schema = options.pop("schema", "")
        if chosen is not None and chosen.kind == "csv":
            header = options.pop("header", "true").casefold() == "true"
            chosen = csv(header=header, delimiter=options.pop("delimiter", options.pop("sep", ",")))
        if chosen is None or options:
            raise self._wrong(
                f"read_files cannot take {', '.join(options) or f'the format {kind!r}'}",
                "Known here: format (json, csv, parquet), schema, and for csv header and delimiter",
            )
        if schema:
            schemas.columns(schema, f"read_files('{path}')", place)
        connector: Files = files(path)
        self.registry.sources.append(Source(name, place, connector, chosen, schema, "", "", "", ""))

    def _list(self, what: str) -> list[list[Token]]:
        """The comma-separated parts inside the parentheses that come next."""
        if self.at >= len(self.found) or not self._peek().is_mark("("):
            raise self._wrong(f"{what} needs parentheses", f"Found {self._shown()}")
        close = sql_text.closing(self.found, self.at)
        if not self.found[close].is_mark(")"):
            raise self._wrong(f"The parenthesis after {what} is not closed", "Add a )")
        inside, parts, depth = self.found[self.at + 1 : close], [[]], 0  # type: tuple[list[Token], list[list[Token]], int]
        for token in inside:
            depth += token.kind == "mark" and token.text in "([{"
            depth -= token.kind == "mark" and token.text in ")]}"
            if depth == 0 and token.is_mark(","):
                parts.append([])
            else:
                parts[-1].append(token)
        self.at = close + 1
        return parts

    def _peek(self) -> Token:
        return self.found[self.at]

    def _took(self, *words: str) -> bool:
        """Steps over these words if they come next, all of them."""
        ahead = self.found[self.at : self.at + len(words)]
        if len(ahead) == len(words) and all(t.is_word(w) for t, w in zip(ahead, words, strict=True)):
            self.at += len(words)
            return True
        return False

    def _name(self) -> str:
        if self.at >= len(self.found) or not self._peek().is_identifier:
            raise self._wrong(
                f"A name is expected, and {self._shown()} is found", "Names with spaces go in double quotes"
            )
        name = self._peek().text
        self.at += 1
        while self.at + 1 < len(self.found) and self._peek().is_mark("."):
            name += "." + self.found[self.at + 1].text
            self.at += 2
        return name

    def _literal(self, what: str) -> str:
        if self.at >= len(self.found) or self._peek().kind != "text":
            raise self._wrong(f"After {what} a text in single quotes is expected", f"Found {self._shown()}")
        self.at += 1
        return self.found[self.at - 1].text

    def _shown(self) -> str:
        if self.at >= len(self.found):
            return "the end"
        token = self._peek()
        return f"'{self.text[token.start : token.end][:40]}'"

    def _line(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    def _place(self) -> Where:
        return Where(self.file, self._line(self.found[0].start))

    def _wrong(self, text: str, hint: str, place: Where | None = None) -> QanatError:
        at = self.found[min(self.at, len(self.found) - 1)]
        where = place or Where(self.file, self._line(at.start))
        return QanatError("QN-1116", f"{text}.", [f"at {where}", f"{hint}.", "Nothing was started."])
