"""Colours and type of the report and the README's picture: one sheet, light and dark.

Series colours are Okabe and Ito's (2008), told apart with every common kind of colour blindness; shapes differ too.
"""

from __future__ import annotations

CHART_CSS = """
:root { --paper:#ffffff; --card:#ffffff; --ink:#1d2733; --soft:#5d6b7a; --hair:#dfe5ea; --wash:#f5f7f9;
  --blue:#0072b2; --sky:#56b4e9; --orange:#e69f00; --red:#d55e00; --green:#009e73; --purple:#cc79a7; }
@media (prefers-color-scheme: dark) {
  :root { --paper:#12171d; --card:#1a2129; --ink:#e6ebf0; --soft:#9aa8b5; --hair:#2e3843; --wash:#212a33;
    --blue:#4ba3dd; --sky:#7cc8f2; --orange:#f0b63c; --red:#f08a4b; --green:#34c79a; --purple:#dd9abf; } }
svg { font-family: Inter, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
svg .label { font-size: 13px; fill: var(--ink); }
svg .strong { font-size: 13px; fill: var(--ink); font-weight: 650; }
svg .tick { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .note { font-size: 12px; fill: var(--soft); }
svg .grid { stroke: var(--hair); stroke-width: 1; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .dash { fill: none; stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 5 4; }
svg .candidate { fill: var(--sky); fill-opacity: .45; stroke: none; }
svg .front { fill: var(--blue); stroke: var(--card); stroke-width: 1.5; }
svg .front-line { fill: none; stroke: var(--blue); stroke-width: 2; stroke-linejoin: round; }
svg .chosen { fill: var(--red); stroke: var(--card); stroke-width: 1.5; }
svg .baseline { fill: var(--orange); stroke: var(--card); stroke-width: 1.5; }
svg .reference { fill: var(--green); stroke: var(--card); stroke-width: 1.5; }
svg .reference-line { stroke: var(--green); stroke-width: 1.6; stroke-dasharray: 7 4; }
svg .heldout { fill: var(--red); stroke: var(--card); stroke-width: 1.5; }
svg .tensor { fill: var(--sky); fill-opacity: .55; stroke: var(--card); stroke-width: 1; }
svg .tensor-peak { fill: var(--blue); fill-opacity: .85; stroke: var(--card); stroke-width: 1; }
svg .scratch { fill: var(--orange); fill-opacity: .9; stroke: var(--card); stroke-width: 1; }
svg .on-fill { font-size: 11px; fill: #ffffff; pointer-events: none; }
svg .on-pale { font-size: 11px; fill: var(--ink); pointer-events: none; }
svg .bar { fill: var(--blue); } svg .bar-other { fill: var(--soft); fill-opacity: .45; }
svg .part-arena { fill: var(--blue); } svg .part-stack { fill: var(--orange); }
svg .part-statics { fill: var(--purple); } svg .part-runner { fill: var(--green); }
svg .part-code { fill: var(--green); } svg .part-constants { fill: var(--blue); } svg .part-free { fill: var(--wash); }
svg .outline { fill: none; stroke: var(--hair); stroke-width: 1; }
svg .card { fill: var(--card); }
"""

PAGE_CSS = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 Inter, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -.01em; }
h2 { font-size: 19px; margin: 44px 0 4px; }
p { margin: 4px 0 12px; max-width: 96ch; } .soft { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(136px, 1fr)); gap: 12px; margin: 22px 0 8px; }
.tile { background: var(--card); border: 1px solid var(--hair); border-radius: 10px; padding: 12px 14px; }
.tile b { display: block; font-size: 22px; font-weight: 650; letter-spacing: -.01em; }
.tile span { color: var(--soft); font-size: 13px; } .tile small { color: var(--soft); }
.verdict { margin: 14px 0; max-width: none; border-left: 4px solid var(--green); padding: 8px 14px;
  background: var(--wash); border-radius: 0 8px 8px 0; }
.verdict.bad { border-color: var(--red); }
figure { margin: 10px 0 0; background: var(--card); border: 1px solid var(--hair); border-radius: 10px; padding: 14px; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: 13px; margin-top: 8px; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 14px; }
.scroll { overflow-x: auto; border: 1px solid var(--hair); border-radius: 10px; margin-top: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; white-space: nowrap; border-top: 1px solid var(--hair); }
th { color: var(--soft); font-weight: 600; border-top: 0; } th:first-child, td:first-child, .words { text-align: left; }
.words { white-space: normal; overflow-wrap: anywhere; }
table.ops :is(th, td):is(:nth-child(2), :nth-child(3), :nth-child(4), :last-child) { text-align: left; }
tr.chosen td { font-weight: 650; color: var(--red); }
td .meter { display: inline-block; height: 8px; border-radius: 4px;
  background: var(--blue); vertical-align: middle; }
pre { background: var(--wash); border: 1px solid var(--hair); border-radius: 10px; padding: 14px; overflow-x: auto;
  font: 13px/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
details summary { cursor: pointer; color: var(--soft); margin-top: 12px; }
code { font: 13px ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
@media (max-width: 520px) { .two { grid-template-columns: 1fr; } }
"""
