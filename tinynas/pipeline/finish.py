"""The end of a run: networks made int8, measured and tested; then everything that the run folder shall hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinynas.data.types import Dataset
from tinynas.nets.checkpoint import load_network
from tinynas.pipeline.artefacts import model_description, write_example
from tinynas.pipeline.context import Context
from tinynas.pipeline.features import macs, params
from tinynas.pipeline.files import read_json, write_bytes, write_json
from tinynas.pipeline.log import RunLog
from tinynas.pipeline.stage_store import Output
from tinynas.pipeline.stages.baselines import load_baselines
from tinynas.pipeline.stages.finetune import Finetuned, load_finetuned
from tinynas.pipeline.stages.measured import measure_finished
from tinynas.pipeline.stages.onboard import OnBoard, evaluate_chosen
from tinynas.pipeline.stages.quantise import Int8Network, quantise_networks
from tinynas.pipeline.summary import Entry, Measured, board_entry, board_seconds, cost_entry, dataset_entry, verdict
from tinynas.plan.fit import RuntimeSize
from tinynas.predict.mlp import SubnetPredictor
from tinynas.predict.quality import AccuracyPredictor
from tinynas.space.cost import network_cost
from tinynas.space.elastic import ElasticSpace
from tinynas.space.netspec import NetSpec
from tinynas.space.space import SearchSpace


@dataclass(frozen=True)
class Stages:
    """What the stages before left."""

    data: Dataset
    runtime: RuntimeSize
    space: SearchSpace | ElasticSpace
    reference: Output
    predictor: Output
    fitted: AccuracyPredictor | SubnetPredictor
    search: Output
    finetune: Output
    baselines: Output
    library: Output | None = None  # of a block library


@dataclass(frozen=True)
class Trained:
    """A trained network on its way into the summary."""

    name: str
    network: Path  # checkpoint
    accuracy_validation: float
    spec: NetSpec


def finish(context: Context, log: RunLog, stages: Stages) -> None:
    """Write the run folder."""
    finetuned = load_finetuned(stages.finetune)
    front = [_trained(stages.space.label(net.arch), net.network, net.accuracy_validation) for net in finetuned]
    others = [_reference(stages.reference), *_baselines(context, stages.baselines)]
    int8_front = _quantised(context, stages, "front", front, {"finetune": stages.finetune.digest})
    upstream = {"reference": stages.reference.digest, "baselines": stages.baselines.digest}
    int8_others = _quantised(context, stages, "baselines", others, upstream)
    measured = _measured(context, stages.runtime, [*front, *others], [*int8_front, *int8_others])

    model = int8_front[[net.chosen for net in finetuned].index(True)].model
    on_board = evaluate_chosen(context, stages.data, model)
    entries = _front_entries(finetuned, measured)
    reference, *baselines = (net.entry() for net in measured[len(front) :])
    chosen = _chosen_entry(finetuned, entries, on_board)
    _write_artefacts(context, stages, model, on_board)
    _write_records(context, stages, baselines, on_board)
    summary = _summary(context, stages, reference, entries, chosen, baselines)
    log.write("finished")
    spent_s = log.stage_s()
    times = {"seconds": spent_s, "board_s": board_seconds(spent_s), "wall_s": round(log.wall_s(), 1)}
    times["cost"] = cost_entry(context.used)
    write_json(context.folder / "summary.json", summary | times)
    _write_report(context)
    context.progress.say(summary["verdict"]["text"])


def _trained(name: str, network: Path, accuracy_validation: float) -> Trained:
    return Trained(name, network, accuracy_validation, load_network(network).spec)


def _reference(output: Output) -> Trained:
    score = read_json(output.folder / "metrics.json")["accuracy_validation"]
    return _trained("reference", output.folder / "network.npz", score)


def _baselines(context: Context, output: Output) -> list[Trained]:
    return [_trained(net.name, net.network, net.accuracy_validation) for net in load_baselines(context, output)]


def _quantised(
    context: Context, stages: Stages, group: str, networks: Sequence[Trained], upstream: Mapping[str, str]
) -> list[Int8Network]:
    by_folder = {f"{index:02d}": net.network for index, net in enumerate(networks)}
    return list(quantise_networks(context, stages.data, group, by_folder, upstream).values())


def _measured(
    context: Context, runtime: RuntimeSize, networks: Sequence[Trained], int8: Sequence[Int8Network]
) -> list[Measured]:
    """All networks that fit the board, measured on it as the candidates were."""
    fits = [network_cost(net.spec, context.board, runtime).fits for net in networks]
    models = [net.model for net, fit in zip(int8, fits, strict=True) if fit]
    found = iter(measure_finished(context, models))
    return [
        Measured(
            net.name,
            net.spec,
            made,
            net.accuracy_validation,
            next(found) if fit else None,
            params(net.spec),
            macs(net.spec),
        )
        for net, made, fit in zip(networks, int8, fits, strict=True)
    ]


def _front_entries(finetuned: Sequence[Finetuned], measured: Sequence[Measured]) -> list[Entry]:
    return [
        {"arch": list(net.arch), **figures.entry(), "predicted_accuracy": net.predicted_accuracy}
        for net, figures in zip(finetuned, measured, strict=False)
    ]


def _chosen_entry(finetuned: Sequence[Finetuned], entries: Sequence[Entry], on_board: OnBoard) -> Entry:
    chosen = next(entry for net, entry in zip(finetuned, entries, strict=True) if net.chosen)
    return chosen | {
        "accuracy_on_board": on_board.accuracy,
        "images_on_board": on_board.images,
        "images_identical_to_host": on_board.images_identical_to_host,
    }


def _summary(
    context: Context,
    stages: Stages,
    reference: Entry,
    front: Sequence[Entry],
    chosen: Entry,
    baselines: Sequence[Entry],
) -> dict[str, Any]:
    return {
        "name": context.experiment.name,
        "dataset": stages.data.name,
        "board": context.board.name,
        "reference": reference,
        "predictor": stages.fitted.summary(),
        "search": {"space_size": stages.space.size, **read_json(stages.search.folder / "search.json")},
        "library": _record(stages.library, "library.json"),
        "finetune": _record(stages.finetune, "epochs.json"),
        "supernet": _record(stages.reference if context.experiment.method == "ofa" else None, "metrics.json"),
        "front": list(front),
        "chosen": chosen,
        "verdict": verdict(chosen, baselines),
        "data": dataset_entry(stages.data),
        "board_facts": board_entry(context.board),
        "budget": context.experiment.budget.model_dump(mode="json"),
    }


def _record(output: Output | None, name: str) -> Any:
    """The JSON in a file of a stage's output; None where the method has no such thing."""
    return read_json(output.folder / name) if output and (output.folder / name).exists() else None


def _write_artefacts(context: Context, stages: Stages, model: bytes, on_board: OnBoard) -> None:
    """model.tflite, model.json, firmware.elf, example/."""
    folder = context.folder
    firmware = read_json(on_board.folder / "firmware.json")
    board = str(Path(context.experiment.board).resolve()) if context.experiment.board.endswith(".toml") else None
    about = model_description(model, stages.data, board or context.board.name, firmware, context.experiment.data.seed)
    write_bytes(folder / "model.tflite", model)
    write_json(folder / "model.json", about)
    write_bytes(folder / "firmware.elf", (on_board.folder / "firmware.elf").read_bytes())
    write_example(folder / "example", stages.data)


def _write_records(context: Context, stages: Stages, baselines: Sequence[Entry], on_board: OnBoard) -> None:
    """What the report shows beside the summary."""
    folder = context.folder
    points = {"points": read_json(stages.predictor.folder / "points.json")}
    write_json(folder / "candidates.json", read_json(stages.search.folder / "candidates.json"))
    write_json(folder / "predictor.json", stages.fitted.model_dump(mode="json") | points)
    write_json(folder / "baselines.json", list(baselines))
    write_json(folder / "profile.json", read_json(on_board.folder / "profile.json"))


def _write_report(context: Context) -> None:
    from tinynas.report.html import write_report

    write_report(context.folder)
