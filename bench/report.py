"""The page of a run: what it was, its lines, shown as they come."""

from __future__ import annotations

import datetime
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import MB, OURS, Usage, processor

REPOSITORY = Path(__file__).parent.parent


@dataclass
class Report:
    """Lines of the page; each is shown when it is known."""

    lines: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> None:
        """Shows and keeps them."""
        for line in lines:
            print(line, flush=True)
            self.lines.append(line)

    def rates(self, rows: int, used: Mapping[str, Usage]) -> None:
        """A table of engines: ours first, then how many times as many events a CPU-second it has."""
        self.add(
            "| engine | CPU s | wall s | events per CPU-second | ours is | peak MB |",
            "|---|---:|---:|---:|---:|---:|",
        )
        for name, usage in used.items():
            ratio = "" if name.startswith(OURS) else f"{usage.cpu_s / used[OURS].cpu_s:.2f}×"
            self.add(
                f"| {name} | {usage.cpu_s:.2f} | {usage.wall_s:.2f} | {rows / usage.cpu_s:,.0f} | {ratio} "
                f"| {usage.rss_bytes / MB:.0f} |"
            )
        self.add("")

    def heading(self, arguments: Sequence[str]) -> str:
        """What, where, which; the commit's short name."""
        commit = _git("rev-parse", "--short", "HEAD")
        changed = " with changes" if _git("status", "--porcelain", "--untracked-files=no") else ""
        self.add(
            f"# Figures of {datetime.date.today()}",
            "",
            f"- command: `{' '.join(['python -m bench', *arguments])}`",
            f"- commit: {commit}{changed}",
            f"- machine: {processor()}",
            f"- load when begun: {Path('/proc/loadavg').read_text().split()[0]}",
            "",
        )
        return commit


def _git(*arguments: str) -> str:
    told = subprocess.run(
        ["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"
