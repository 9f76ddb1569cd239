"""The ``qanat`` command: its words and options. What each does is in a module that is loaded when called."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from qanat.cli import exit_codes
from qanat.errors import QanatError

app = typer.Typer(
    name="qanat",
    help="Rows from files into Delta tables, each exactly once. Python declares, DuckDB evaluates.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
dlq = typer.Typer(no_args_is_help=True, help="Rows that could not go where they were meant to go, and why.")
app.add_typer(dlq, name="dlq")

_FLAG = " "  # nothing where other options have the name of their value

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="Pipeline file: .py, .sql, or a .yml spec. Left out: the spec file here or above.",
        show_default=False,
    ),
]
SpecOption = Annotated[
    Path | None,
    typer.Option(
        "--spec", help="Spec file; the same as naming it as FILE.", metavar="FILE", show_default=False
    ),
]
Storage = Annotated[
    Path | None,
    typer.Option(
        "--storage",
        help="Folder of the tables, each in a folder of its own.",
        metavar="DIR",
        show_default="the spec's, or ./lake",
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        from qanat._version import __version__

        typer.echo(f"qanat {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar=_FLAG, help="Print the version and leave.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


@app.command()
def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Folder to make, and the pipeline's name.")],
) -> None:
    """Make a pipeline to start from: it runs, with its own data and a test."""
    from qanat.cli.init_command import init as command

    command(name)


@app.command()
def run(
    file: File = None,
    continuous: Annotated[
        bool, typer.Option("--continuous", metavar=_FLAG, help="Go on when the sources have nothing more.")
    ] = False,
    storage: Storage = None,
    memory: Annotated[
        str,
        typer.Option(
            "--memory",
            help="Limit for DuckDB, which spills, and for what views remember, half each.",
            metavar="SIZE",
            show_default="as DuckDB decides",
        ),
    ] = "",
    threads: Annotated[
        int, typer.Option("--threads", help="Threads to use.", metavar="N", show_default="all cores")
    ] = 0,
    refresh: Annotated[
        list[str] | None,
        typer.Option(
            "--refresh", help="Only these datasets, comma-separated.", metavar="NAMES", show_default=False
        ),
    ] = None,
    full_refresh: Annotated[
        list[str] | None,
        typer.Option(
            "--full-refresh",
            help="Empty these datasets and read their sources again.",
            metavar="NAMES",
            show_default=False,
        ),
    ] = None,
    full_refresh_all: Annotated[
        bool, typer.Option("--full-refresh-all", metavar=_FLAG, help="Empty all datasets and begin again.")
    ] = False,
    trigger: Annotated[
        str,
        typer.Option(
            "--trigger",
            help="Start steps at most this often: 1s, 500ms, 5m.",
            metavar="TIME",
            show_default="at once",
        ),
    ] = "",
    log: Annotated[
        str,
        typer.Option(
            "--log", help="auto: live on a terminal, lines elsewhere; or text, json.", metavar="FORM"
        ),
    ] = "auto",
    spec: SpecOption = None,
) -> None:
    """Run a pipeline until its sources end, or for good with --continuous.

    Ctrl-C ends it after the step in hand, a second one at once. Both are safe: the next run goes on there.
    """
    from qanat.cli import values
    from qanat.cli.run_command import RunRequest
    from qanat.cli.run_command import run as command

    raise typer.Exit(
        command(
            RunRequest(
                file=_one_file(file, spec),
                storage=storage,
                memory=values.memory(memory),
                threads=values.threads(threads),
                continuous=continuous,
                refresh=values.names(refresh or []),
                full_refresh=None if full_refresh_all else values.names(full_refresh or []),
                trigger_ms=values.trigger_ms(trigger),
                log=log,
            )
        )
    )


@app.command("dry-run")
def dry_run(file: File = None, storage: Storage = None, spec: SpecOption = None) -> None:
    """Check a pipeline, columns and types too, without reading data or writing anything."""
    from qanat.cli.check_command import dry_run as command

    command(_one_file(file, spec), storage)


@app.command()
def graph(
    file: File = None,
    format: Annotated[
        str,
        typer.Option("--format", help="text, svg or html.", metavar="FORM", show_default="by -o, or text"),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write.", metavar="FILE", show_default="standard output"),
    ] = None,
    spec: SpecOption = None,
) -> None:
    """Draw a pipeline: sources, datasets with their columns and rules, and what reads what."""
    from qanat.cli.graph_command import graph as command

    command(_one_file(file, spec), format, output)


@app.command()
def plan(
    file: File = None,
    view: Annotated[
        str, typer.Option("--view", help="Only this view.", metavar="NAME", show_default="all of them")
    ] = "",
    storage: Storage = None,
    spec: SpecOption = None,
) -> None:
    """Show how views are kept up to date: their operators, what these hold and what the last run cost."""
    from qanat.cli.plan_command import plan as command

    command(_one_file(file, spec), view, storage)


@app.command()
def schema(
    glob: Annotated[
        str, typer.Argument(metavar="GLOB", help="Path or pattern of JSON lines, CSV or Parquet files.")
    ],
) -> None:
    """Look at files and print a source declaration to paste into a pipeline."""
    from qanat.cli.schema_command import schema as command

    command(glob)


@app.command()
def query(
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="One SELECT in DuckDB's SQL; tables by their dataset's name.")
    ],
    storage: Storage = None,
    format: Annotated[
        str, typer.Option("--format", help="table, json, csv or arrow.", metavar="FORM")
    ] = "table",
    limit: Annotated[
        int, typer.Option("--limit", help="Rows that a table shows; 0 is all.", metavar="N", min=0)
    ] = 40,
    version: Annotated[
        int,
        typer.Option("--version", help="Version of the tables to read.", metavar="N", show_default="newest"),
    ] = -1,
) -> None:
    """Ask the tables of a pipeline in SQL. Reads only, also while the pipeline runs."""
    from qanat.cli.query_command import query as command

    command(sql, storage, format, limit, version)


@dlq.command("ls")
def dlq_ls(
    dataset: Annotated[
        str | None, typer.Argument(metavar="DATASET", help="Only this dataset.", show_default=False)
    ] = None,
    storage: Storage = None,
    format: Annotated[str, typer.Option("--format", help="table or json.", metavar="FORM")] = "table",
) -> None:
    """Count dead letters by dataset, reason and rule, with the first and the last time."""
    from qanat.cli.dlq_command import ls as command

    command(dataset, storage, format)


@dlq.command("show")
def dlq_show(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="The dataset whose dead letters to show.")
    ],
    rule: Annotated[
        str | None,
        typer.Option("--rule", help="Only of this rule or reason.", metavar="NAME", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help="How many; 0 is all.", metavar="N", min=0)] = 10,
    storage: Storage = None,
    format: Annotated[str, typer.Option("--format", help="text or json.", metavar="FORM")] = "text",
) -> None:
    """Show dead letters as they came: the bytes, what is wrong with them, the file and line they are from."""
    from qanat.cli.dlq_command import show as command

    command(dataset, rule, limit, storage, format)


@app.command()
def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE", help="A code such as QN-1203; left out: all of them.", show_default=False
        ),
    ] = None,
) -> None:
    """Explain an error code: what it means, what to do, an example."""
    from qanat.cli.explain_command import explain as command

    command(code)


@app.command()
def doctor(storage: Storage = None) -> None:
    """Look at this machine: versions, DuckDB's library, memory, disk, the storage folder, its lock."""
    from qanat.cli.doctor_command import doctor as command

    raise typer.Exit(command(storage))


def _one_file(file: Path | None, spec: Path | None) -> Path | None:
    if file is not None and spec is not None:
        raise QanatError("QN-1302", "Both FILE and --spec are given.", ["Name the pipeline once."])
    return spec or file


def main() -> None:
    """The entry point: runs a command and leaves with its exit code."""
    try:
        app()
    except QanatError as error:
        from qanat.cli.console import print_failure

        print_failure(error)
        sys.exit(exit_codes.of(error, started=False))
    except KeyboardInterrupt:
        sys.exit(exit_codes.INTERRUPTED)
    except Exception as error:
        _print_bug(error)
        sys.exit(exit_codes.BUG)


def _print_bug(error: Exception) -> None:
    import traceback

    from qanat._version import __version__
    from qanat.cli.console import print_failure

    traceback.print_exception(error)
    lines = [
        f"qanat {__version__}, Python {sys.version.split()[0]}, {sys.platform}",
        "What was reported as committed is committed.",
        "Report it with the lines above and the command you ran.",
    ]
    print_failure(
        QanatError("QN-9050", f"This is a bug of Qanat: {type(error).__name__}.", lines, kind="failed")
    )


if __name__ == "__main__":
    main()
