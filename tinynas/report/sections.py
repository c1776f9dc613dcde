"""The sections of report.html, one function each: a run in, HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from tinynas.plan.plan import Plan
from tinynas.report.charts import (
    TAU_NAMES,
    budget_chart,
    hypervolume_chart,
    pareto_chart,
    predictor_chart,
    tau_chart,
)
from tinynas.report.memory_chart import memory_chart, usage_bar
from tinynas.report.memory_text import Part
from tinynas.report.op_table import OpRow, op_rows
from tinynas.report.run_folder import BoardFacts, Net, OpProfile, Predictor, Run, Search
from tinynas.report.tables import caption, net_cells, percent, size

OVERLAP_WORDS = "Where rectangles overlap, a kernel writes its output over input that it has used."
LATENCY_WORDS = {
    "virtual": "latency on {name} (instructions / clock, not silicon time)",
    "hardware": "latency measured on {name}",
    "host": "latency on this computer",
}


def section(title: str, intro: str, *parts: str) -> str:
    """A heading, a sentence and what follows."""
    return f"<h2>{escape(title)}</h2>\n<p class='soft'>{escape(intro)}</p>\n" + "\n".join(parts)


def figure(svg: str, words: str = "") -> str:
    """A chart on a card."""
    return f"<figure>{svg}{f'<figcaption>{escape(words)}</figcaption>' if words else ''}</figure>"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], chosen: int | None = None, css: str = "") -> str:
    """Cells are words, not HTML, but for those that start with `<`; row `chosen` stands out."""
    head = "".join(f"<th>{escape(header)}</th>" for header in headers)
    body = "\n".join(_row(row, index == chosen) for index, row in enumerate(rows))
    return f"<div class='scroll'><table class='{css}'><tr>{head}</tr>\n{body}</table></div>"


def _row(cells: Sequence[str], chosen: bool) -> str:
    inner = "".join(f"<td>{cell if cell.startswith('<') else escape(cell)}</td>" for cell in cells)
    return f"<tr{' class=chosen' if chosen else ''}>{inner}</tr>"


def header(run: Run, board: BoardFacts) -> str:
    """The name of the run and the chosen net's figures, one tile each."""
    chosen = run.summary.chosen
    tiles = [
        ("accuracy int8, test", percent(chosen.accuracy_int8), f"float {percent(chosen.accuracy_float)}"),
        ("int8 on the board", percent(chosen.accuracy_on_board), _identical(chosen)),
        (f"latency ({board.kind})", _latency(chosen), _count(chosen.instructions, "instructions")),
        ("peak SRAM", size(chosen.peak_sram_bytes), f"of {size(board.sram_bytes)}"),
        ("flash", size(chosen.flash_bytes), f"of {size(board.flash_bytes)}"),
        ("MACs", _count(chosen.macs, ""), _count(chosen.params, "parameters")),
        ("bit exact", _yes_no(chosen.bit_exact), "as TFLite Micro"),
    ]
    cards = "".join(
        f"<div class=tile><span>{escape(name)}</span><b>{escape(value)}</b><small>{escape(note)}</small></div>"
        for name, value, note in tiles
    )
    return f"<h1>{escape(run.name)}</h1><p class=soft>{escape(_subtitle(run, board))}</p><div class=tiles>{cards}</div>"


def _subtitle(run: Run, board: BoardFacts) -> str:
    minutes = run.summary.wall_s / 60
    return f"{run.summary.dataset} on {board.name} ({board.title}); {caption(run)}; {minutes:.1f} minutes in all"


def _latency(net: Net) -> str:
    return "–" if net.latency_us is None else f"{net.latency_us / 1000:,.1f} ms"


def _count(value: int | None, unit: str) -> str:
    return "" if value is None else f"{value:,} {unit}".strip()


def _identical(net: Net) -> str:
    """How many of the images on the board gave the host's bytes."""
    if net.images_on_board is None or net.images_identical_to_host is None:
        return _count(net.images_on_board, "images")
    return f"{net.images_identical_to_host:,} of {net.images_on_board:,} as on the host"


def _yes_no(value: bool | None) -> str:
    return {True: "yes", False: "NO", None: "–"}[value]


def verdict(run: Run) -> str:
    """Does the chosen net beat the best baseline at no more latency and SRAM? Said either way."""
    found = run.summary.verdict
    css = "verdict bad" if found.chosen_wins is False else "verdict"
    return f"<p class='{css}'>{escape(found.text[:1].upper() + found.text[1:])}.</p>"


def pareto(run: Run, board: BoardFacts) -> str:
    """The plot, the front as a table, baselines and reference."""
    words = LATENCY_WORDS[board.kind].format(name=board.name)
    front = sorted(run.summary.front, key=lambda net: net.latency_us or 0.0)
    chosen = next((i for i, net in enumerate(front) if net.arch == run.summary.chosen.arch), None)
    headers = ("net", "accuracy int8", "latency ms", "peak SRAM", "flash", "bit exact")
    rows = [(_arch_words(net) or f"front {i + 1}", *net_cells(net)) for i, net in enumerate(front)]
    others = [(net.name, *net_cells(net)) for net in run.baselines]
    others += [("reference", *net_cells(run.summary.reference))]
    intro = (
        f"{run.summary.search.measured:,} networks of the search were built, flashed and timed; those of the front "
        "were quantised with their final weights and run on the test split."
    )
    chart = figure(pareto_chart(run, words), "Rest the mouse on a mark for its figures.")
    return section("Accuracy against latency", intro, chart, verdict(run), table(headers, [*rows, *others], chosen))


def _arch_words(net: Net) -> str:
    return net.name or ("" if net.arch is None else str(net.arch))


def predictor(run: Run) -> str:
    """How far the accuracy predictor can be trusted."""
    found = run.summary.predictor
    if found.loo_mse is None:  # subnets of a supernet: enough of them to hold some back
        error = f"root mean squared error on {found.n_heldout} others {found.rmse_heldout or 0.0:.4f}"
        intro = f"Fitted on {found.n_fit} subnets; {error}, Kendall's τ {found.kendall_tau:.2f}."
    else:
        intro = (
            f"Fitted on {found.n_fit} finetuned nets; leave-one-out mean squared error {found.loo_mse:.2e}, "
            f"Kendall's τ {found.kendall_tau:.2f}."
        )
    warning = f"<p class='verdict bad'>{escape(found.warning)}</p>" if found.warning else ""
    charts = [figure(tau_chart(found), "A longer bar orders the nets better.")]
    if run.predictor_points:
        charts.insert(0, figure(predictor_chart(run.predictor_points), "On the dashed line the prediction is right."))
    judged = _judged(found) if found.baselines_heldout else ""
    return section("Accuracy predictor", intro, warning, f"<div class=two>{''.join(charts)}</div>", judged)


def _judged(found: Predictor) -> str:
    """The predictor beside its baselines, on the fitted nets and on the held-out ones."""
    rows = [("this predictor", f"{found.kendall_tau:.2f} (leave one out)", _tau(found.kendall_tau_heldout))]
    rows += [
        (TAU_NAMES.get(name, name), _tau(found.baselines.get(name)), _tau(tau))
        for name, tau in found.baselines_heldout.items()
    ]
    if found.noise_ceiling_tau is not None:
        rows.append(("another measurement of the same nets, expected", "", _tau(found.noise_ceiling_tau)))
    return table(("Kendall's τ with finetuned accuracy", f"{found.n_fit} fitted", f"{found.n_heldout} held out"), rows)


def _tau(tau: float | None) -> str:
    return "–" if tau is None else f"{tau:.2f}"


_SEARCHES = {
    "nsga2": "NSGA-II",
    "aging": "Regularised evolution",
    "random": "Random search",
    "evolution": "Evolution on predicted accuracy within limits of predicted latency; the best measured",
}


def _search_words(found: Search) -> str:
    words = _SEARCHES[found.method]
    if found.method in ("nsga2", "aging", "random"):
        words += f" on {', '.join(found.objectives)}"
    if found.latency_table is not None and found.latency_table_mape is not None:
        return (
            f"{words}; the latency table's sums were {found.latency_table['mape']:.1%} off on "
            f"{found.latency_table['nets']} networks that it was not made from, {found.latency_table_mape:.1%} on "
            "those found, whose latencies were measured"
        )
    if found.latency.get("kind") != "blocks":
        return words
    return (
        f"{words}; latencies summed over blocks of a table of {found.latency['nets']} measured nets, "
        f"{found.latency['front_mape']:.1%} off on the front, which was measured at the end"
    )


def search(run: Run, board: BoardFacts) -> str:
    """The growth of the front, if the run kept it, and the memory of what was tried."""
    found = run.summary.search
    values = found.hypervolume if isinstance(found.hypervolume, list) else [found.hypervolume]
    intro = f"{_search_words(found)}, under the board's memory: {caption(run)}."
    charts = [figure(hypervolume_chart(values), "Larger is better; it never falls.")] if len(values) > 1 else []
    if run.candidates:
        chart = budget_chart(run.candidates, run.summary.chosen, board.sram_bytes)
        charts.append(figure(chart, "The same candidates by the memory they need."))
    return section("Search", intro, f"<div class=two>{''.join(charts)}</div>")


def memory(run: Run, plan: Plan, board: BoardFacts) -> str:
    """Arena over time, and what fills SRAM and flash."""
    measured = run.about_model.get("firmware", {}).get("arena_bytes", plan.arena_bytes)
    words = OVERLAP_WORDS
    if measured != plan.arena_bytes:
        words += f" Planned by this version of tinynas; the run's firmware has an arena of {measured:,} B."
    intro = "Tensors of the chosen net in the arena while each op runs; those alive at the peak are dark."
    bars = (figure(bar) for bar in _usage_bars(run.summary.chosen, measured, plan.const_bytes, board))
    return section("Memory", intro, figure(memory_chart(plan), words), *bars)


def _usage_bars(chosen: Net, arena_bytes: int, const_bytes: int, board: BoardFacts) -> Iterator[str]:
    """SRAM and flash of the chosen net, as far as they were measured."""
    if (sram := chosen.peak_sram_bytes) is not None:
        parts = [Part("arena", arena_bytes), Part("stack", sram - arena_bytes), Part("free", board.sram_bytes - sram)]
        yield usage_bar(f"SRAM, {board.sram_bytes:,} B (stack: high-water mark, with the model's statics)", parts)
    if (flash := chosen.flash_bytes) is not None:
        code = Part("code", flash - const_bytes)
        parts = [code, Part("constants", const_bytes), Part("free", board.flash_bytes - flash)]
        yield usage_bar(f"Flash, {board.flash_bytes:,} B", parts)


def per_op(plan: Plan, profile: Sequence[OpProfile]) -> str:
    """One row per op of the chosen net, with the board's own figures where the run profiled it."""
    rows = op_rows(plan, {op.index: (op.instructions, op.latency_us) for op in profile})
    dearest_us = max((row.latency_us or 0.0 for row in rows), default=0.0) or 1.0
    headers = ("#", "op", "output", "shape", "MACs", "arena bytes", "instructions", "ms", "share")
    intro = f"{len(rows)} ops, {plan.macs:,} multiply-accumulates; ops without figures need no code."
    return section("Per op", intro, table(headers, [_op_cells(row, dearest_us) for row in rows], css="ops"))


def _op_cells(row: OpRow, dearest_us: float) -> tuple[str, ...]:
    shape = " x ".join(map(str, row.shape[1:]))
    instructions, live = ("–" if value is None else f"{value:,}" for value in (row.instructions, row.live_bytes))
    cells = (str(row.index), row.kind, row.output, shape, f"{row.macs:,}", live, instructions)
    if row.latency_us is None:
        return (*cells, "–", "")
    meter = f"<span class=meter style='width:{100 * row.latency_us / dearest_us:.0f}px'></span>"
    return (*cells, f"{row.latency_us / 1000:,.3f}", meter)


def settings(run: Run, facts: dict[str, str]) -> str:
    """How to get this result again: the experiment, the versions, the machine, the date."""
    body = "".join(f"<tr><td>{escape(n)}</td><td class=words>{escape(v)}</td></tr>" for n, v in facts.items())
    facts_table = f"<div class='scroll'><table>{body}</table></div>"
    experiment = f"<details><summary>The experiment as it ran</summary><pre>{escape(run.experiment)}</pre></details>"
    return section("Settings", "To run it again: the same experiment gives the same result.", facts_table,
                   experiment if run.experiment else "")  # fmt: skip
