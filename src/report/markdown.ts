import {
  calibrationFacts,
  machineFacts,
  methodTable,
  PLAN_HEAD,
  planTable,
  settingFacts,
  stepFacts,
  targetFacts,
} from './facts.ts';
import type { Fact } from './html.ts';
import { headlineFigures, summarise } from './summary.ts';
import type { ReportInput } from './types.ts';

/** The short form: the summary and the tables, for a terminal or a code host. */
export function formatMarkdown({ manifest, settings, study }: ReportInput): string {
  const figures = headlineFigures(manifest).map(
    ({ value, label }) => `- **${value}** ${escapeMarkdown(label)}`,
  );
  const { rows } = planTable(manifest);
  const compared = study === null ? undefined : methodTable(study.methods);
  const sections: readonly (readonly [string, string])[] = [
    ['In figures', figures.join('\n')],
    ['Candidates', formatTable(PLAN_HEAD, rows)],
    [
      'Agreement with the model, by method',
      compared === undefined ? '' : formatTable(compared.head, compared.rows),
    ],
    ['Rounding of the model', factTable(targetFacts(manifest))],
    ['Calibration', factTable(calibrationFacts(manifest))],
    ['Settings', factTable(settingFacts(settings))],
    ['Machine', factTable([...machineFacts(manifest), ...stepFacts(manifest)])],
  ];
  return [
    `# ${escapeMarkdown(manifest.name)}`,
    escapeMarkdown(summarise(manifest).join(' ')),
    'Plots and an example text: [report.html](report.html).',
    ...sections.filter(([, body]) => body !== '').map(([title, body]) => `## ${title}\n\n${body}`),
  ].join('\n\n');
}

function factTable(rows: readonly Fact[]): string {
  return formatTable(['', ''], rows);
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [
    line(head),
    `|${head.map((_, i) => (i === 0 ? ' --- |' : ' ---: |')).join('')}`,
    ...rows.map(line),
  ].join('\n');
}

/** Names may hold anything: nothing of them becomes markup, and a table row stays one line. */
function escapeMarkdown(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>|#&~]/g, (character) => `\\${character}`);
}
