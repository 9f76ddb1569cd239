"""Pictures of a pipeline: what reads what, drawn as text, SVG or HTML without outside tools."""
