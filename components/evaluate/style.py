"""The style of the report's page: light and dark, wide and narrow."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #1b2330;
  --soft: #55606f; --line: #d9dee5; --good: #0b6e3b; --good-bg: #e2f4ea; --bad: #a3351c;
  --bad-bg: #fdebe6; --first: #1f6feb; --second: #c2570c; --link: #0b57c4; --right: 31 111 235;
  --wrong: 214 90 20; }
@media (prefers-color-scheme: dark) { :root { --page: #0f141b; --card: #18202a; --ink: #e8edf3;
  --soft: #a6b1bf; --line: #2e3946; --good: #6fdc9f; --good-bg: #12301f; --bad: #ffab91;
  --bad-bg: #3a1c14; --first: #6cb0ff; --second: #ffa657; --link: #8ec1ff; --right: 70 140 255;
  --wrong: 255 130 60; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main, header, nav { max-width: 60rem; margin: 0 auto; padding: 1rem; }
header { padding-bottom: 0; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding-top: 0; padding-bottom: 0; }
nav a { color: var(--link); padding: .3rem 0; }
a { color: var(--link); }
section { scroll-margin-top: .5rem; }
:focus-visible { outline: .15rem solid var(--link); outline-offset: .15rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: .5rem 0 1rem; }
h2 { font-size: 1.15rem; margin: 0 0 .25rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .25rem 0 .75rem; text-wrap: pretty; }
section > p:last-child { margin-bottom: 0; }
.soft, figcaption small { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.1rem; margin-bottom: 1rem; }
.verdict { border-left: .4rem solid var(--edge); background: var(--bg); color: var(--ink);
  border-radius: .5rem; padding: .7rem .9rem; margin: 0 0 1rem; }
.verdict strong { color: var(--edge); }
.passed { --edge: var(--good); --bg: var(--good-bg); }
.not-passed { --edge: var(--bad); --bg: var(--bad-bg); }
.unchanged { --edge: var(--first); --bg: var(--card); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem;
  margin: 0 0 1rem; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: .7rem .9rem; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.5rem; font-weight: 650; line-height: 1.25; }
.tiles small { display: block; font-size: .8rem; font-weight: 400; color: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr));
  gap: 1rem; }
figure { margin: 0; min-width: 0; }
figure svg { width: 100%; height: auto; max-width: 30rem; display: block; }
svg text { font-family: inherit; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .85rem; padding-bottom: .4rem; }
th, td { padding: .3rem .4rem; text-align: right; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
th[scope=row] { font-weight: 500; white-space: nowrap; }
thead th { color: var(--soft); font-size: .82rem; vertical-align: bottom; }
th[scope=row], .left { text-align: left; }
.matrix { table-layout: fixed; font-size: .85rem; }
.matrix th, .matrix td { border: 0; padding: .4rem .1rem; text-align: center; }
.matrix col:first-child { width: 6.4rem; }
.matrix th[scope=row] { text-align: left; }
.matrix thead th { height: 6rem; padding: .2rem 0; }
.matrix thead th span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
.matrix thead td { vertical-align: bottom; text-align: left; color: var(--soft);
  font-size: .75rem; }
.matrix tbody td { border: 1px solid var(--card);
  background: rgb(var(--tint) / var(--opacity)); --tint: var(--wrong); }
.matrix tbody td.right { --tint: var(--right); font-weight: 650; }
.matrix td.none { color: var(--soft); }
td:has(.bar) { min-width: 6rem; }
.bar { display: block; height: .3rem; margin-top: .15rem; border-radius: .15rem;
  background: linear-gradient(to right, var(--first) var(--share), var(--line) 0); }
.steps th[scope=row], .steps td { vertical-align: top; }
.steps th[scope=row] { white-space: normal; }
.steps td:last-child { white-space: nowrap; }
.steps small { display: block; color: var(--soft); font-weight: 400; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  overflow-wrap: anywhere; }
details { margin-top: .75rem; }
summary { cursor: pointer; color: var(--link); padding: .25rem 0; }
img { width: 100%; height: auto; aspect-ratio: 1; display: block; image-rendering: pixelated;
  border-radius: .4rem; background: #000; }
.mistakes { display: grid; grid-template-columns: repeat(6, 1fr); gap: 1rem .75rem;
  margin-top: .75rem; }
.mistakes figcaption { font-size: .85rem; line-height: 1.35; margin-top: .35rem; }
.mistakes b, .sides b { color: var(--bad); }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2rem; }
.sides > div { min-width: 0; }
.sides p { margin: .5rem 0 .35rem; }
.strip { display: grid; grid-template-columns: repeat(6, 1fr); gap: .4rem; }
.strip figcaption { font-size: .75rem; color: var(--soft); text-align: center; }
.values { table-layout: fixed; }
.values th[scope=row] { width: 38%; white-space: normal; color: var(--soft); vertical-align: top; }
.values td { text-align: left; overflow-wrap: anywhere;
  font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.values th, .values td { padding-left: 0; overflow-wrap: anywhere; }
pre { font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  background: var(--page); border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem .8rem; margin: .25rem 0 .75rem; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (min-width: 77rem) {
  body { display: grid; grid-template-columns: 13rem 60rem; justify-content: center;
    column-gap: 1rem; grid-template-areas: "nav header" "nav main"; }
  header { grid-area: header; } main { grid-area: main; }
  main, header { width: 100%; }
  nav { grid-area: nav; position: sticky; top: 0; align-self: start; margin: 0;
    flex-direction: column; padding: 1.5rem 0 0; }
}
@media (max-width: 48rem) {
  .mistakes { grid-template-columns: repeat(4, 1fr); }
  .sides { grid-template-columns: 1fr; }
}
@media (max-width: 30rem) {
  main, header { padding-left: .6rem; padding-right: .6rem; }
  section { padding: .9rem .7rem; }
  table.matrix { font-size: .68rem; }
  .matrix col:first-child { width: 4.7rem; }
  .matrix th, .matrix td { padding: .35rem 0; }
  .values th[scope=row] { width: 44%; }
  .narrow { display: none; }
  td:has(.bar) { min-width: 4rem; }
  th, td { padding: .3rem .2rem; }
  table { font-size: .9rem; }
  .mistakes { grid-template-columns: repeat(3, 1fr); }
}
@media print { nav { display: none; } section { break-inside: avoid; } }
"""
