"""The charts of the report, as SVG: Pareto plot, predictor scatter, taus, hypervolume."""

from __future__ import annotations

from collections.abc import Sequence

from tinynas.report.legend import LegendEntry, Mark, legend, with_legend
from tinynas.report.run_folder import Candidate, FinetuneFigures, Net, Predictor, PredictorPoint, Run
from tinynas.report.svg import Axis, Frame, circle, diamond, line, picture, polyline, rect, square, star, text
from tinynas.report.tables import percent, size

NEAR_RATIO = 2  # the reference is drawn at its own latency up to this multiple of the slowest other net's
WIDE_RATIO = 12  # from slowest to fastest; beyond it a linear axis would crowd the fast nets


def pareto_chart(run: Run, latency_words: str, width: float = 1000, height: float = 520) -> str:
    """Accuracy against latency: candidates (predicted), front and baselines (int8, test), reference.

    `latency_words` says what the latency is, without the unit.
    """
    nets = [net for net in [*run.summary.front, *run.baselines] if _has_place(net)]
    chosen, reference = run.summary.chosen, run.summary.reference
    frame = _pareto_frame(run, nets, latency_words, width, height)
    front = sorted((net for net in run.summary.front if _has_place(net)), key=lambda net: net.latency_us or 0)
    marks = [*frame.axes(), *_reference_marks(reference, frame)]
    marks += [_candidate(candidate, frame) for candidate in run.candidates if candidate.latency_us]
    marks += [_front_line(front, frame)]
    marks += [_net(net, frame, circle, "front", 6.5) for net in front if net.arch != chosen.arch]
    marks += [_net(net, frame, diamond, "baseline", 8) for net in run.baselines if _has_place(net)]
    if _has_place(chosen):
        marks += [_net(chosen, frame, star, "chosen", 12)]
    return picture(width, height, [*marks, *legend(_pareto_legend(run), frame)], "Accuracy against latency")


def _has_place(net: Net) -> bool:
    return net.latency_us is not None and net.accuracy_int8 is not None


def _pareto_frame(run: Run, nets: Sequence[Net], words: str, width: float, height: float) -> Frame:
    """Axes around everything that is drawn; the reference's own latency only if it is near the rest."""
    latency = [c.latency_us / 1000 for c in run.candidates if c.latency_us] + [
        (net.latency_us or 0) / 1000 for net in nets
    ]
    latency += _near_reference(run.summary.reference, max(latency))
    accuracy = [c.predicted_accuracy for c in run.candidates] + [net.accuracy_int8 or 0 for net in nets]
    if (level := reference_level(run.summary.reference)) is not None:
        accuracy.append(level)
    log = max(latency) / min(latency) > WIDE_RATIO
    x = Axis.around(f"{words}, ms" + (" (log scale)" if log else ""), latency, log)
    y = Axis.around("accuracy", accuracy)
    return with_legend(Frame(x, y, width, height), _pareto_legend(run))


def _near_reference(reference: Net, slowest_ms: float) -> list[float]:
    """The reference's latency in ms, if showing it leaves room enough for the nets that matter."""
    latency_ms = (reference.latency_us or 0.0) / 1000
    return [latency_ms] if slowest_ms < latency_ms <= NEAR_RATIO * slowest_ms else []


def reference_level(reference: Net) -> float | None:
    """The accuracy to draw the reference's line at: int8 if it was quantised, else float."""
    return reference.accuracy_int8 if reference.accuracy_int8 is not None else reference.accuracy_float


def _reference_marks(reference: Net, frame: Frame) -> list[str]:
    level = reference_level(reference)
    if level is None:
        return []
    y = frame.py(level)
    kind = "int8" if reference.accuracy_int8 is not None else "float"
    words = f"reference net, {kind}: {percent(level)}"
    if reference.latency_us is not None:
        words += f", {reference.latency_us / 1000:,.1f} ms"
    x1 = frame.width - frame.right
    marks = [line(frame.left, y, x1, y, "reference-line"), text(frame.left + 8, y - 7, words, "note")]
    if reference.latency_us is not None and reference.latency_us / 1000 <= frame.x.high:
        marks.append(square(frame.px(reference.latency_us / 1000), y, 7, "reference", words))
    return marks


def _candidate(candidate: Candidate, frame: Frame) -> str:
    tip = (
        f"candidate: predicted {percent(candidate.predicted_accuracy)}, {(candidate.latency_us or 0) / 1000:,.2f} ms, "
        f"SRAM {size(candidate.peak_sram_bytes)}, flash {size(candidate.flash_bytes)}"
    )
    x, y = frame.px((candidate.latency_us or 0) / 1000), frame.py(candidate.predicted_accuracy)
    return circle(x, y, 4, "candidate", tip)


def _front_line(front: Sequence[Net], frame: Frame) -> str:
    """Steps, since nothing between two entries has been built."""
    points: list[tuple[float, float]] = []
    for net in front:
        x, y = frame.px((net.latency_us or 0) / 1000), frame.py(net.accuracy_int8 or 0)
        points += [(x, points[-1][1]), (x, y)] if points else [(x, y)]
    return polyline(points, "front-line")


def _net(net: Net, frame: Frame, mark: Mark, css: str, radius: float) -> str:
    tip = (
        f"{net.name or css}: {percent(net.accuracy_int8)} int8 on test, {(net.latency_us or 0) / 1000:,.2f} ms, "
        f"SRAM {size(net.peak_sram_bytes)}, flash {size(net.flash_bytes)}"
    )
    return mark(frame.px((net.latency_us or 0) / 1000), frame.py(net.accuracy_int8 or 0), radius, css, tip)


def _pareto_legend(run: Run) -> list[LegendEntry]:
    entries = [
        LegendEntry(star, "chosen", "chosen"),
        LegendEntry(circle, "front", "front, finetuned: int8 on the test split"),
        LegendEntry(circle, "candidate", f"{len(run.candidates)} candidates of the search: accuracy predicted"),
    ]
    if any(_has_place(net) for net in run.baselines):
        entries.append(LegendEntry(diamond, "baseline", "MobileNetV2 baselines"))
    return entries


def predictor_chart(points: Sequence[PredictorPoint], width: float = 520, height: float = 420) -> str:
    """Predicted against finetuned accuracy; on the diagonal the predictor is right."""
    values = [v for point in points for v in (point.predicted, point.accuracy)]
    limits = Axis.around("", values)
    x = Axis("finetuned accuracy (validation split)", limits.low, limits.high)
    entries = [LegendEntry(circle, "front", "fitted: predicted with it left out")]
    if any(point.heldout for point in points):
        entries.append(LegendEntry(circle, "heldout", "held out"))
    frame = with_legend(Frame(x, Axis("predicted accuracy", limits.low, limits.high), width, height), entries)
    diagonal = polyline([(frame.px(v), frame.py(v)) for v in (limits.low, limits.high)], "dash")
    marks = [*frame.axes(), diagonal, *(_predicted(point, frame) for point in points), *legend(entries, frame)]
    return picture(width, height, marks, "Predicted against finetuned accuracy")


def _predicted(point: PredictorPoint, frame: Frame) -> str:
    tip = f"predicted {percent(point.predicted)}, finetuned {percent(point.accuracy)}"
    css = "heldout" if point.heldout else "front"
    return circle(frame.px(point.accuracy), frame.py(point.predicted), 6, css, tip)


def tau_chart(predictor: Predictor, width: float = 520, height: float = 420) -> str:
    """Kendall's tau of the predictor and of the cheap baselines: one bar each, zero in between where some are below."""
    bars = [("this predictor", predictor.kendall_tau)]
    if predictor.kendall_tau_heldout is not None:
        bars.append((f"… on {predictor.n_heldout} held out", predictor.kendall_tau_heldout))
    bars += [(TAU_NAMES.get(name, name), tau) for name, tau in predictor.baselines.items() if tau is not None]
    x = Axis("Kendall's τ with the finetuned accuracies (1 = same order)", min(0.0, *(tau for _, tau in bars)), 1.0)
    frame = Frame(x, Axis("", 0, len(bars)), width, height, left=150)
    marks = [line(frame.px(t), frame.py(0), frame.px(t), frame.top, "grid") for t in x.ticks()]
    marks += [text(frame.px(t), frame.py(0) + 18, x.words(t), "tick", "middle") for t in x.ticks()]
    for row, (name, tau) in enumerate(bars):
        marks += _tau_bar(name, tau, row, frame)
    marks += [line(frame.px(0), frame.py(0), frame.px(0), frame.top, "axis")]
    marks += [text((frame.left + width) / 2, frame.py(0) + 42, x.label, "label", "middle")]
    return picture(width, height, marks, "Kendall's tau of the predictor and of its baselines")


TAU_NAMES = {
    "sum_nsr": "sum of block NSR",
    "macs": "MACs",
    "params": "parameters",
    "zero_shot": "zero-shot accuracy",
    "naswot": "NASWOT",
    "probe": "linear probe",
}


def _tau_bar(name: str, tau: float, row: int, frame: Frame) -> list[str]:
    y = frame.top + row * (frame.py(0) - frame.top) / frame.y.high
    thick = (frame.py(0) - frame.top) / frame.y.high
    x0, x1 = sorted((frame.px(0), frame.px(tau)))
    css = "bar" if "predictor" in name or "held out" in name else "bar-other"
    bar = rect(x0, y + thick * 0.2, x1 - x0, thick * 0.6, css, f"{name}: {tau:.3f}")
    inside = x1 + 50 > frame.width
    value = text(x1 - 6 if inside else x1 + 6, y + thick / 2 + 4, f"{tau:.2f}", "on-fill" if inside else "label",
                 "end" if inside else "start")  # fmt: skip
    return [bar, value, text(frame.left - 10, y + thick / 2 + 4, name, "label", "end")]


def budget_chart(
    candidates: Sequence[Candidate], chosen: Net, limit_bytes: int, width: float = 520, height: float = 420
) -> str:
    """Predicted accuracy against peak SRAM of every measured candidate, with the board's limit if it is near."""
    used = [candidate.peak_sram_bytes / 1024 for candidate in candidates]
    limit = limit_bytes / 1024
    near = [limit] if limit <= 1.5 * max(used) else []
    x = Axis.around("peak SRAM, KiB", [*used, *near])
    frame = Frame(x, Axis.around("predicted accuracy", [c.predicted_accuracy for c in candidates]), width, height)
    marks, on_top = frame.axes(), []
    for candidate in candidates:
        px, py = frame.px(candidate.peak_sram_bytes / 1024), frame.py(candidate.predicted_accuracy)
        tip = f"{size(candidate.peak_sram_bytes)}, predicted {percent(candidate.predicted_accuracy)}"
        if candidate.arch == chosen.arch:
            on_top.append(star(px, py, 11, "chosen", tip))
        else:
            marks.append(circle(px, py, 4, "candidate", tip))
    for at in near:
        marks += [line(frame.px(at), frame.py(frame.y.low), frame.px(at), frame.top, "reference-line")]
        marks += [text(frame.px(at) - 6, frame.top + 12, "the board's SRAM", "note", "end")]
    return picture(width, height, [*marks, *on_top], "Predicted accuracy against peak SRAM")


def hypervolume_chart(values: Sequence[float], width: float = 520, height: float = 420) -> str:
    """How the front grew, generation by generation."""
    x = Axis("generation", 0, max(len(values) - 1, 1), whole=True)
    frame = Frame(x, Axis.around("hypervolume", values), width, height, left=84)
    points = [(frame.px(i), frame.py(v)) for i, v in enumerate(values)]
    dots = [circle(px, py, 3.5, "front", f"generation {i}: {values[i]:.4g}") for i, (px, py) in enumerate(points)]
    return picture(width, height, [*frame.axes(), polyline(points, "front-line"), *dots], "Hypervolume per generation")


def epochs_chart(finetune: FinetuneFigures, width: float = 760, height: float = 300) -> str:
    """Accuracy after every epoch: finetuned from the library, and from scratch where that was tried."""
    curves = [("front", finetune.finetuned, "finetuned"), ("baseline", finetune.scratch or [], "from scratch")]
    x = Axis("epoch", 0, max(len(values) for _, values, _ in curves), whole=True)
    y = Axis.around("accuracy (validation images)", [value for _, values, _ in curves for value in values])
    entries = [LegendEntry(circle, css, words) for css, values, words in curves if values]
    frame = with_legend(Frame(x, y, width, height), entries)
    marks = [*frame.axes(), *legend(entries, frame)]
    for css, values, words in curves:
        points = [(frame.px(epoch), frame.py(value)) for epoch, value in enumerate(values, 1)]
        marks += [polyline(points, "front-line" if css == "front" else "dash")] if points else []
        marks += [
            circle(px, py, 3.5, css, f"{words}, epoch {epoch}: {percent(value)}")
            for epoch, ((px, py), value) in enumerate(zip(points, values, strict=True), 1)
        ]
    return picture(width, height, marks, "Accuracy after every epoch")
