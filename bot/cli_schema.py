"""`ticktalk schema`: JSON Schemas for editors that check YAML while one types."""

from __future__ import annotations

from pathlib import Path

import click

from bot.console import errors_for_people


@click.command()
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write one file a schema into this folder, over older ones.",
)
def schema(folder: Path | None) -> None:
    """Show the JSON Schemas of conditions, settings, shared expressions and universes."""
    from config.schema import schema_text, schemas, write_schemas  # noqa: PLC0415  # only here

    with errors_for_people():
        if folder is None:
            click.echo(schema_text(schemas()), nl=False)
            return
        for path in write_schemas(folder):
            click.echo(f"wrote {path}")
