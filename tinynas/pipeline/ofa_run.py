"""The stages of a run with method = "ofa": Once-for-All (arXiv 1908.09791)."""

from __future__ import annotations

from tinynas.pipeline.context import Context
from tinynas.pipeline.finish import Stages
from tinynas.pipeline.stages.baselines import train_baselines
from tinynas.pipeline.stages.data import load_data
from tinynas.pipeline.stages.ofa_front import extract_front
from tinynas.pipeline.stages.ofa_latency import load_latency_table, make_latency_table
from tinynas.pipeline.stages.ofa_predictor import fit_subnet_predictor, load_subnet_predictor
from tinynas.pipeline.stages.ofa_search import Specialised, specialise
from tinynas.pipeline.stages.ofa_supernet import elastic_space, open_subnets, train_supernet
from tinynas.plan.fit import RuntimeSize


def run_ofa_stages(context: Context, runtime: RuntimeSize) -> Stages:
    """Every stage up to the networks of the front. Another board needs those from the latency table on."""
    data = load_data(context)
    space = elastic_space(context, data)
    supernet = train_supernet(context, data, space)
    fitted = fit_subnet_predictor(context, space, supernet)
    mlp, facts = load_subnet_predictor(fitted)
    table = make_latency_table(context, data, space, runtime)
    upstream = {"supernet": supernet, "ofa_predictor": fitted, "latency_table": table}
    with_what = Specialised(space, mlp, load_latency_table(table), runtime)
    found = specialise(context, with_what, upstream)
    front = extract_front(context, space, open_subnets(context, data, supernet), supernet, found)
    baselines = train_baselines(context, data)
    return Stages(data, runtime, space, supernet, fitted, facts, found, front, baselines)
