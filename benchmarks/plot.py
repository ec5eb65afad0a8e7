"""The plot of accuracy against time."""

from collections.abc import Sequence
from pathlib import Path

from .accuracy import PEERS, Trained

COLORS = {
    "mlp": "#999999",
    "cnn": "#e69f00",
    "tutorial": "#d55e00",
    "fast": "#009e73",
    "default": "#56b4e9",
    "accurate": "#0072b2",
    "best": "#cc79a7",
}
"""Okabe and Ito's, which most people can tell apart: one for each preset and peer."""
TICKS = (3, 10, 30, 100, 300, 1000, 3000, 10_000)


def draw(runs: Sequence[Trained], path: Path) -> Path:
    """Draws validation accuracy over time as lines, test accuracy at the end as points."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same bytes for the same figures.
    mpl.rcParams["svg.hashsalt"] = "fashion-mnist"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for who in dict.fromkeys(run.who for run in runs):
        color = COLORS[who]
        own = [run for run in runs if run.who == who]
        for run in own:
            axes.plot(*zip(*run.curve, strict=True), color=color, alpha=0.35, linewidth=1)
        label = PEERS.get(who, f"this project, {who}")
        x, y = [run.seconds for run in own], [run.test_accuracy for run in own]
        axes.scatter(x, y, color=color, label=label, zorder=3, s=28)
    axes.set(
        xscale="log",
        xlabel="seconds of training, 2 cores",
        ylabel="accuracy",
        ylim=(0.84, 0.96),
    )
    longest = max(run.seconds for run in runs)
    ticks = [seconds for seconds in TICKS if seconds <= max(longest, TICKS[0])]
    axes.set_xticks(ticks, [f"{seconds:,}" for seconds in ticks])
    axes.minorticks_off()
    axes.set_title("Points: test set, once for each seed. Lines: validation split.", fontsize=10)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
