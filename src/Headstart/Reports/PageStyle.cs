namespace Headstart.Reports;

/// <summary>Style of the report's page: light and dark, on small screens and on paper.</summary>
internal static class PageStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --ink: #1c2330; --soft: #5a6475; --paper: #fff; --card: #f5f6f8; --line: #dde1e7; --blue: #2563eb; --orange: #c2410c; --band: rgb(37 99 235 / .16) }
        @media screen and (prefers-color-scheme: dark) {
          :root { --ink: #e6e9ef; --soft: #9aa4b5; --paper: #14171d; --card: #1d222b; --line: #343b48; --blue: #7aa5ff; --orange: #fb923c; --band: rgb(122 165 255 / .2) }
        }
        * { box-sizing: border-box }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; overflow-wrap: anywhere }
        main { max-width: 900px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
        header p { margin: 0; color: var(--soft) }
        h1 { margin: 0; font-size: 1.5rem; line-height: 1.25 }
        header .answer { margin: 1.25rem 0 0; font-size: 1.4rem; line-height: 1.4; color: var(--ink) }
        section { margin-top: 2.75rem }
        h2 { margin: 0 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: 1.15rem }
        h3 { margin: 1.5rem 0 .5rem; font-size: 1rem }
        p { margin: 0 0 .75rem; max-width: 44rem }
        small, .soft, figcaption { color: var(--soft); font-size: .85rem }
        .n { white-space: nowrap }
        .facts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0 0 1rem }
        .facts div { flex: 1 1 12rem; padding: .75rem 1rem; border-radius: .5rem; background: var(--card) }
        .facts dt { color: var(--soft); font-size: .85rem }
        .facts dd { margin: 0; font-size: 1.25rem; font-weight: 600 }
        .facts dd small { display: block; font-weight: 400 }
        .wide { overflow-x: auto; max-width: 100%; margin-bottom: 1rem }
        table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
        th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }
        th { font-weight: 600 }
        thead th { color: var(--soft); font-weight: 400; vertical-align: bottom }
        th:first-child, td:first-child, .words :is(th, td):not(:last-child) { text-align: left }
        tbody th { max-width: 22rem; overflow: hidden; text-overflow: ellipsis }
        tr.chosen { background: var(--band) }
        td.bar { min-width: 8rem; background: linear-gradient(to right, var(--band) var(--share), transparent 0) }
        .matrix table { border-collapse: separate; border-spacing: 1px }
        .matrix td, .matrix th { border: 0; padding: .2rem .45rem; min-width: 2rem }
        .matrix td { text-align: center; print-color-adjust: exact; -webkit-print-color-adjust: exact }
        .matrix tbody th { position: sticky; left: 0; background: var(--paper); text-align: right; max-width: 12rem }
        .matrix { max-height: 85vh }
        .matrix thead th { text-align: center; position: sticky; top: 0; z-index: 1; background: var(--paper) }
        .matrix thead th span { display: inline-block; max-width: 9rem; overflow: hidden; text-overflow: ellipsis }
        .matrix.many thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9rem }
        .sides { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start }
        .sides > * { flex: 1 1 18rem; min-width: 0 }
        figure { margin: 0 0 1rem; break-inside: avoid }
        svg { display: block; width: 100%; max-width: 44rem; height: auto; font: 12px system-ui, sans-serif }
        svg text { fill: var(--soft) }
        svg .grid { stroke: var(--line); fill: none }
        svg .band { fill: var(--band); print-color-adjust: exact; -webkit-print-color-adjust: exact }
        svg .line { stroke: var(--blue); fill: none; stroke-width: 2 }
        svg .dashed { stroke: var(--blue); fill: none; stroke-width: 2; stroke-dasharray: 5 4 }
        svg .dot { fill: var(--blue) }
        svg .gap { stroke: var(--orange); stroke-width: 2 }
        .pictures { display: flex; flex-wrap: wrap; gap: 1rem; margin-bottom: 1rem }
        .groups { display: flex; flex-wrap: wrap; gap: 0 2rem }
        .pictures figure { width: 160px; margin: 0 }
        .pictures.large figure { width: 203px }
        .pictures.boxed figure { width: 275px }
        .boxed svg { border-radius: .4rem }
        .boxed rect { fill: none; stroke: #1d6bff; stroke-width: 6 }
        .boxed rect.found { stroke: #ff7a1a; stroke-dasharray: 18 10 }
        .pictures img, .nothing { display: flex; align-items: center; justify-content: center; width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: .4rem; background: var(--card) }
        .nothing { padding: 1rem; color: var(--soft); font-size: .85rem; text-align: center }
        .pictures figure.text, .pictures.large figure.text { width: 100%; max-width: 40rem }
        blockquote { margin: 0; padding: .6rem .8rem; border-radius: .4rem; background: var(--card); overflow-wrap: anywhere; white-space: pre-line }
        mark { color: inherit; border-radius: .2rem; print-color-adjust: exact; -webkit-print-color-adjust: exact }
        figcaption { margin-top: .35rem; line-height: 1.4 }
        figcaption b { display: block; color: var(--ink); font-weight: 600 }
        @media (max-width: 30rem) {
          svg { font-size: 17px }
          th, td { padding: .3rem .45rem }
          td.bar { min-width: 4.5rem }
          .matrix tbody th { max-width: 8rem }
          main { padding-top: 1.5rem }
          header .answer { font-size: 1.15rem }
          .pictures figure, .pictures.large figure { width: calc(50% - .5rem) }
          .pictures.boxed figure { width: 100% }
        }
        @media print {
          main { max-width: none; padding: 0 }
          svg { max-width: 30rem }
          body { font-size: 11pt }
          h2 { break-after: avoid }
          tr, .facts div { break-inside: avoid }
          .wide { overflow: visible; max-height: none }
        }
        """;
}
