"""Pictures, as small SVG files that are the same for the same numbers."""

from __future__ import annotations

import math

COLOURS = {"strata": "#d1495b", "PyTorch": "#2e6f95", "ONNX Runtime": "#8a9a5b"}
TITLES = {"train": "Training step", "predict": "Prediction"}


def slope(points: list[tuple[float, float]]) -> float:
    """Of a line through the upper half, on scales of logarithms."""
    upper = points[len(points) // 2 :] if len(points) > 3 else points[-2:]
    xs = [math.log(x) for x, _ in upper]
    ys = [math.log(y) for _, y in upper]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys)) / sum(
        (x - x_mean) ** 2 for x in xs
    )


def growth(path: str, axis: str, curves: dict[tuple[str, str], list[tuple[float, float]]]) -> None:
    """Time over a size, a panel for each kind of work, a curve for each contender."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "strata", "svg.fonttype": "none", "font.size": 9}
    matplotlib.rcParams["font.sans-serif"] = ["DejaVu Sans"]
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    plain = FuncFormatter(lambda number, _: f"{number:g}")
    figure, panels = pyplot.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for panel, (what, title) in zip(panels, TITLES.items()):
        for (kind, name), points in curves.items():
            if kind == what:
                label = f"{name}, {slope(points):.1f}"
                panel.loglog(*zip(*points), "o-", ms=3.5, lw=1.4, color=COLOURS[name], label=label)
                ticks = [x for x, _ in points]
        panel.set_xticks(ticks)
        panel.xaxis.set_major_formatter(plain)
        low, high = panel.get_ylim()
        panel.yaxis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 5)))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.yaxis.set_minor_locator(NullLocator())
        panel.yaxis.set_major_formatter(plain)
        panel.set(title=title, xlabel=axis, ylabel="ms")
        panel.grid(True, color="#dddddd", lw=0.6)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
